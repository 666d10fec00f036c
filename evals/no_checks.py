"""The sources of which every guard is a check, and those guards that are none, with the reason."""

GUARDED = (
    "tools/executor.py",
    "tools/once.py",
    "tools/undo.py",
    "tools/authority.py",
    "tools/policy.py",
    "tools/kill_switch.py",
    "tools/aws/sessions.py",
    "tools/inspection.py",
    "tools/rehearsal.py",
    "memory/audit_told.py",
    "tools/signing.py",
    "tools/crowd.py",
    "tools/ahead.py",
    "tools/freeze.py",
    "tools/actions/base.py",
    "memory/audit_chain.py",
    "memory/stores/approvals.py",
    "memory/stores/executions.py",
    "memory/records/approval.py",
    "memory/records/scope.py",
    "graphs/decision.py",
    "graphs/people.py",
    "graphs/principals.py",
    "graphs/callers.py",
    "graphs/glass_review.py",
    "graphs/autonomy.py",
    "memory/table.py",
    "tools/touched.py",
    "tools/document_targets.py",
    "memory/stores/leases.py",
)

_WORDS = "it chooses the words of a refusal, and refuses nothing"
_SAID = "it chooses what people are told, and refuses nothing"
# The source, the guard's name in it, and why nothing is let through without it.
NO_CHECK: tuple[tuple[str, str, str], ...] = (
    (
        "tools/executor.py",
        "Executor._crowded: if found.action is None",
        "an action that is not known has no parameters either, which the other part looks for",
    ),
    (
        "tools/executor.py",
        "Executor._once: if action is None",
        "an action that is not known has no state either, which the last part looks for",
    ),
    (
        "tools/executor.py",
        "Executor._once: if params is None",
        "what has no parameters has no state either, which the last part looks for",
    ),
    (
        "tools/executor.py",
        "Executor._told_beside: if now is None",
        "a record that vanishes while it is read ends the attempt with an error, and nothing is sent",
    ),
    (
        "tools/executor.py",
        "Executor._told_beside: if now == stored",
        "it ends the reading early; without it the same is read four times",
    ),
    (
        "tools/policy.py",
        "Policy.rule: if inspection.action is None",
        "an action that is not known has no parameters either, which the other part looks for",
    ),
    (
        "tools/crowd.py",
        "Traffic.held: crowd.seen.items() where seen.version",
        "a target that nothing is stored of is written as well without it, and more attempts are lost, not fewer",
    ),
    (
        "memory/stores/approvals.py",
        "ApprovalStore.request: if standing is None",
        "a request that vanishes while it is asked ends the asking with an error either way",
    ),
    (
        "graphs/glass_review.py",
        "review_glass: except ConflictError",
        "the store takes no review twice, whatever error says so",
    ),
    ("memory/stores/executions.py", "told_of: (execution.why, execution.detail) where said", _SAID),
    (
        "memory/records/approval.py",
        "ApprovalRequest.no_way_back_beside: self.no_way_back where not any((why in one for one in told))",
        _SAID,
    ),
    ("graphs/decision.py", "Decided.told: if not self.missing", _SAID),
    ("graphs/decision.py", "_missing: people where not by.is_surely_another(one)", _SAID),
    ("graphs/decision.py", "_check_plan: if len(plan) < NAMED_BY", _WORDS),
    ("tools/policy.py", "_inverse_text: if inspection.inverse is None", _WORDS),
    ("tools/undo.py", "why_not_taken_back: if action is None", _WORDS),
    ("tools/undo.py", "why_not_taken_back: if action.reversibility is Reversibility.INVERSE", _WORDS),
    *(
        ("tools/rehearsal.py", f"both_ways: if {part}", "it is as where `rehearsed` asks the same")
        for part in ("action is None", "params is None", "found.problems")
    ),
    (
        "tools/rehearsal.py",
        "rehearsed: if found.problems",
        "policy refuses what has a problem, whatever IAM and a dry run would say of it",
    ),
    (
        "tools/rehearsal.py",
        "rehearsed: if action is None",
        "an action that is not known is a problem, which the last part looks for",
    ),
    (
        "tools/rehearsal.py",
        "rehearsed: if params is None",
        "parameters that do not fit are a problem, which the last part looks for",
    ),
)
