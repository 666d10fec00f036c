"""The tests that have to notice when a check is taken away, and which of them are nearest to a source."""

from collections.abc import Mapping

TESTS = (
    "tests/tools/test_forbids.py",
    "tests/tools/test_single_guards.py",
    "tests/tools/test_unauthorised.py",
    "tests/tools/test_forged_records.py",
    "tests/tools/test_at_the_call.py",
    "tests/tools/test_resumed.py",
    "tests/tools/test_ahead_executed.py",
    "tests/tools/test_executor.py",
    "tests/tools/test_kill_switch.py",
    "tests/tools/test_policy.py",
    "tests/tools/test_sessions.py::test_without_a_role_there_is_no_session",
    "tests/tools/test_sessions.py::test_a_policy_that_sts_would_not_take_is_refused_here",
    "tests/tools/test_sessions.py::test_a_name_fits_what_sts_takes_and_tells_apart",
)
# They are asked before the rest; who checks the same in a file of tests of its own is asked for that source alone.
NEAREST: Mapping[str, tuple[str, ...]] = {
    "tools/signing.py": ("tests/tools/test_sessions.py::test_a_key_of_kms_signs_and_knows_its_own",),
    "tools/crowd.py": ("tests/tools/test_crowd.py",),
    "memory/stores/pace.py": ("tests/tools/test_crowd.py",),
    "tools/ahead.py": ("tests/tools/test_ahead.py",),
    "tools/freeze.py": ("tests/tools/test_ahead.py",),
    "tools/actions/base.py": ("tests/tools/test_executor.py", "tests/tools/test_took_effect.py"),
    "memory/audit_chain.py": (
        "tests/tools/test_stores_refuse.py",
        "tests/tools/test_audit_witness.py",
        "tests/memory/test_audit.py",
    ),
    "memory/audit_witness.py": ("tests/tools/test_audit_witness.py",),
    "memory/stores/approvals.py": (
        "tests/tools/test_stores_refuse.py",
        "tests/graphs/test_decision.py",
        "tests/graphs/test_withdrawn.py",
    ),
    "memory/stores/executions.py": (
        "tests/tools/test_stores_refuse.py",
        "tests/tools/test_audit_of_actions.py",
    ),
    "memory/records/approval.py": ("tests/graphs/test_decision.py",),
    "memory/records/scope.py": ("tests/graphs/test_people.py", "tests/graphs/test_decision.py"),
    "graphs/decision.py": ("tests/graphs/test_decision.py",),
    "graphs/people.py": ("tests/graphs/test_people.py",),
    "graphs/principals.py": ("tests/graphs/test_principals.py", "tests/graphs/test_issuer_keys.py"),
    "graphs/callers.py": ("tests/graphs/test_principals.py",),
    "graphs/glass_review.py": ("tests/graphs/test_decision.py",),
    "graphs/autonomy.py": ("tests/graphs/test_settings.py", "tests/tools/test_touched.py"),
    "tools/touched.py": ("tests/tools/test_touched.py",),
    "tools/document_targets.py": ("tests/tools/test_document_targets.py",),
    "memory/table.py": (
        "tests/memory/test_table.py",
        "tests/memory/test_audit.py",
        "tests/memory/test_retention.py",
    ),
    "memory/stores/leases.py": ("tests/memory/test_leases.py",),
}
