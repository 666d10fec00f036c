"""What gives away an order to whoever reads a text: patterns, each beside the words of which its matches hold one.

To look for some words costs a hundredth of a search by such patterns, and of most texts it says all.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

_MODEL = (
    r"(?:an? |the |any |all |every )?(?:ai|llms?|(?:large )?language models?|ai (?:models?|agents?|assistants?)|"
    r"triage (?:agents?|bots?)|automated (?:triage|analysis|agents?)(?: agents?)?|chat ?bots?|bot that)\b"
)
_READER = rf"(?:{_MODEL}|(?:an? |the |any |all |every )?(?:ai )?(?:assistants?|copilot)\b)"
_JUDGED = (
    r"(?:low(?:er|est)?|none|minor|noise|informational|harmless|benign|resolved|healthy|false (?:positive|alarm)"
    r"|innocent|critical|p[0-5]\b|sev ?-?[0-5])"
)
_CASE = r"(?:incident|alarm|alert|severity|priority|deployment|finding|issue)"
_ENGLISH: tuple[tuple[str, str], ...] = (
    # Orders about the reader's instructions.
    (
        "bypass/discard/disregard/forget/ignore/override/set aside",
        r"\b(?:ignore|disregard|forget|override|bypass|discard|set aside)\b[^.\n]{0,24}"
        r"\b(?:previous|prior|preceding|above|earlier|all|any|your|other)\b[^.\n]{0,32}"
        r"\b(?:instructions?|prompts?|directions?|guidelines?|guardrails?|constraints?|commands"
        r"|(?:safety|your|previous|earlier|prior) (?:rules?|polic\w+))\b",
    ),
    (
        "disregard/forget/ignore",
        r"\b(?:ignore|disregard|forget) (?:all of )?(?:the |everything )?(?:above|before this)(?: and|,|\.| text)",
    ),
    ("pay no attention to ", r"\bpay no attention to (?:the |any |all )?(?:other|previous|above|earlier)\b"),
    (
        "evidence/findings/observations/sources",
        r"\b(?:ignore|disregard|overrule) (?:all |any |the )?other (?:evidence|findings|observations|sources)\b",
    ),
    ("from now on", r"\bfrom now on,? (?:you|act|behave|answer|treat)\b"),
    ("you are now ", r"\byou are now (?:in |an? |the |root|free|allowed|authori[sz]ed)"),
    (
        "the assistant's/your",
        r"\b(?:your|the assistant's) (?:new|real|only|actual) (?:task|job|goal|role|objective|instructions?|orders?)\b",
    ),
    ("instruction/order/policy/prompt", r"\bnew (?:system )?(?:instructions?|prompt|orders?|policy)\s*[:,]"),
    (
        "instructions/prompt",
        r"\b(?:reveal|print|show|repeat|output|leak)\b.{0,24}\b(?:system prompt|your (?:prompt|instructions))\b",
    ),
    # What only a conversation with a model holds.
    ("<", r"<\s*/?\s*(?:system|assistant|instructions?|observations?|alarm|evidence|untrusted)\s*>"),
    (
        "inst]/sys]/<|/sys>>",
        r"\[/?(?:INST|SYS)\]|<\|(?:im_(?:start|end)|system|user|assistant|endoftext)\|>|<</?SYS>>",
    ),
    ("assistant/instruction/system", r"(?:^|\n)\s*#{2,4}\s*(?:system|instructions?|assistant)\s*:"),
    ("assistant/developer/system", r"\\*\"role\\*\"\s*:\s*\\*\"(?:system|assistant|developer)\\*\""),
    ("assistant", r"\bhuman\s*:.{1,200}\bassistant\s*:"),
    ("developer/system", r"\b(?:system|developer) (?:prompt|message|note|instruction)s?\s*:(?!\s*\d)"),
    (
        "end of ",
        r"\bend of (?:the )?(?:log|data|input|observations?|context)s?\b.{0,40}\b(?:instructions?|now|follow)",
    ),
    ("instruction", r"\binstructions? (?:for|to) (?:the |any |all )?(?:model|reader|analyst|agent|ai)\b"),
    # Orders that name who is meant.
    (
        "attention/hint/instruction/memo/message/note/request/warning",
        rf"\b(?:note|message|attention|hint|instructions?|memo|warning|request)\b[ :,-]{{0,3}}(?:to |for )?{_READER}",
    ),
    ("attention/dear/hello/hey/hi", rf"\b(?:dear|hey|hello|hi|attention) {_READER}"),
    ("ai/llm/language model/triage /automated /chat/bot/assistant/copilot", rf"\b(?:to|for) {_READER} ?[:,]"),
    (
        "analy/must/need/processing/reading/shall/should/that ",
        rf"\b{_MODEL} (?:reading|analy[sz]ing|processing|that (?:reads?|analy[sz]es)|must|should|shall|needs? to)\b",
    ),
    ("ai/assistant/bot/claude/copilot/gpt", r"(?:^|\s)@(?:copilot|assistant|ai|bot|claude|gpt)\b"),
    (" you are a", r"\b(?:if|since|as) you are an? (?:ai|llm|language model|assistant|bot|model)\b"),
    ("whoever ", r"\bwhoever (?:reads|triages|analy[sz]es) this\b"),
    # Orders about what is concluded, said or permitted.
    (
        "classify/consider/declare/downgrade/lower/mark/raise/rate/report/set/treat",
        r"(?:^|[.:;,!\"'>\n-]\s{0,4}|\b(?:please|must|should|now|and|to) )"
        r"(?:set|lower|raise|mark|classify|downgrade|treat|rate|report|declare|consider) "
        rf"(?:\w+ ){{0,5}}?{_CASE}?(?: \w+){{0,4}} ?(?:to|as|is) (?:an? |the )?{_JUDGED}",
    ),
    (
        " that",
        r"\b(?:conclude|declare|claim|pretend|insist) that\b.{0,60}"
        r"\b(?:cause|healthy|nothing|noise|fine|resolved|innocent)\b",
    ),
    (
        "everything is/healthy/nothing ",
        r"\b(?:report|answer|reply|say|respond|output) (?:that )?(?:only |all |every)?\w{0,12} ?(?:services? )?"
        r"(?:as |is |are )?(?:healthy|nothing (?:else|is wrong)|everything is)\b",
    ),
    (
        "answer/reply/respond",
        r"\b(?:respond|reply|answer) (?:only )?(?:with|only|yes|no)\b (?:the|yes|no|only|to)\b|\bmust answer\b",
    ),
    (
        " your ",
        r"\b(?:in|from) your (?:assessment|answer|analysis|response|report|verdict|conclusion|summary)\b",
    ),
    (" must be", r"\b(?:confidence|cause|verdict|severity) must be\b"),
    (
        "do not/don't/never",
        r"\b(?:do not|don't|never) (?:tell|inform|alert|page|notify)\b (?:the |any ?)?"
        r"(?:on-?call|humans?|operators?|engineers?|anyone|people|users?)",
    ),
    (
        "do not/don't/never",
        r"\b(?:do not|don't|never) (?:mention|cite|report|disclose|reveal|quote)\b "
        r"(?:the |this |that |any |these )?\w+(?: \w+){0,2}(?: in your|[.!]?$|\n)",
    ),
    (
        "analysis/investigation/triage",
        r"\b(?:stop|skip|end|abandon) (?:the |this |your |all )?(?:investigation|analysis|triage)\b",
    ),
    (
        "tool",
        r"\b(?:please|now|must|should|immediately)\b.{0,16}"
        r"\b(?:call|invoke|use|execute|run)\b (?:the )?(?:\w+ )?tool\b",
    ),
    (
        " tool/execute the following ",
        r"\brun (?:the )?\w+ tool\b|\bexecute the following (?:action|command|tool)\b",
    ),
    (
        "approve ",
        r"\bapprove (?:the |this |every |any |all )?(?:pending |proposed )?"
        r"(?:plans?|changes?|actions?|rollbacks?|remediations?)\b",
    ),
    (
        " without /further /human /manual ",
        r"\bno (?:human |further |manual )(?:approval|review|confirmation)\b"
        r"|\bact(?:ing)? without (?:review|approval)\b",
    ),
    (
        " granted/ed by the ",
        r"\bapproval (?:has been|is already|was already) granted\b|\bapproved by the (?:ai|assistant|copilot)\b",
    ),
    ("blame ", r"\bblame (?:the |on )?\w+[.!]"),
)
_FOREIGN: tuple[tuple[str, str], ...] = (
    (
        "ignorier/missachte/vergiss",
        r"\b(?:ignorier\w{0,2}|vergiss|missachte)\b.{0,32}\b(?:anweisung|vorgabe|regel|befehl|instruktion)",
    ),
    (
        "dringlichkeit/priorität/schweregrad",
        r"\b(?:setze?|stelle|ändere|senke)\b.{0,24}\b(?:schweregrad|dringlichkeit|priorität)\b.{0,12}\bauf\b",
    ),
    ("du bist /genehmige d", r"\bdu bist (?:jetzt|nun|ab sofort)\b|\bgenehmige (?:den|die|das)\b"),
    (
        " pas compte/ignore/oublie",
        r"\b(?:ignorez?|oublie[zr]?|ne tene?z? pas compte)\b.{0,32}\b(?:instruction|consigne|règle|directive)s?\b",
    ),
    (
        "désormais/gravité/maintenant/sévérité",
        r"\b(?:tu es|vous êtes) (?:maintenant|désormais)\b"
        r"|\b(?:mets|mettez|définis\w*)\b.{0,16}\b(?:gravité|sévérité)\b",
    ),
    (
        "ahora eres/indicaciones/instrucciones/reglas",
        r"\b(?:ignor[ae]|olvid[ae]|descarta)\b.{0,32}\b(?:instrucciones|reglas|indicaciones)\b|\bahora eres\b",
    ),
    (
        "gravedad/incidente como/severidad",
        r"\b(?:pon|establece|marca|cambia)\b.{0,24}\b(?:gravedad|severidad|incidente como)\b",
    ),
    (
        "aprove o plano/desconsidere/esqueça/ignore",
        r"\b(?:ignore|esqueça|desconsidere)\b.{0,32}\b(?:instruções|ordens|regras)\b|\baprove o plano\b",
    ),
    (
        "approva il piano/dimentica/ignora/trascura",
        r"\b(?:ignora|dimentica|trascura)\b.{0,32}\b(?:istruzioni|regole|indicazioni)\b|\bapprova il piano\b",
    ),
    ("negeer/vergeet", r"\b(?:negeer|vergeet)\b.{0,32}\b(?:instructies|opdrachten|regels|aanwijzingen)\b"),
    (
        "забудь/игнорируй/не обращай внимания",
        r"(?:игнорируй|забудь|не обращай внимания).{0,32}(?:инструкц|указани|правил|команд)",
    ),
    (
        "严重性/严重级别/优先级/忘记/忽略/忽視/无视/無視",
        r"(?:忽略|无视|忘记|忽視|無視).{0,12}(?:指令|指示|说明|提示|规则|規則)|(?:严重性|严重级别|优先级).{0,6}(?:设为|设置为|改为|降)",
    ),
    ("忘れ/無視", r"(?:指示|命令|ルール|プロンプト|指令).{0,8}(?:無視|忘れ)"),
    ("규칙/명령/지시/지침", r"(?:지시|명령|지침|규칙).{0,8}(?:무시|잊)"),
    ("أوامر/تعليمات/قواعد", r"(?:تجاهل|انس).{0,24}(?:التعليمات|الأوامر|القواعد)"),
    (
        "zignoruj/pomiń/zapomnij",
        r"\b(?:zignoruj|pomiń|zapomnij)\b.{0,32}\b(?:instrukcj|poleceni|wytyczn|regu)",
    ),
    (
        "yok say/görmezden gel/unut",
        r"\b(?:talimat|yönerge|komut|kural)\w*.{0,16}(?:yok say|görmezden gel|unut)",
    ),
    ("निर्देश/आदेश", r"(?:निर्देश|आदेश).{0,24}(?:अनदेखा|नज़रअंदाज|नजरअंदाज|भूल)"),
    (
        "ignorer/glem/glöm/strunta i",
        r"\b(?:ignorera?|glem|glöm|strunta i)\b.{0,32}\b(?:instru[kx]|anvis|regler|regel)",
    ),
    ("ігноруй/забудь", r"(?:ігноруй|забудь).{0,32}(?:інструкц|вказів|правил)"),
    ("ignoruj/zapomeň", r"\b(?:ignoruj|zapomeň)\w*\b.{0,32}\b(?:pokyn|instrukc|pravid)"),
    ("bỏ qua/quên", r"(?:bỏ qua|quên).{0,24}(?:hướng dẫn|chỉ dẫn|chỉ thị|quy tắc)"),
    ("abaikan/lupakan", r"\b(?:abaikan|lupakan)\b.{0,32}\b(?:instruksi|perintah|aturan)"),
    ("αγνόησε/αγνοήστε/ξέχνα", r"(?:αγνόησε|αγνοήστε|ξέχνα).{0,32}(?:οδηγί|εντολ|κανόν)"),
    ("התעלם/שכח", r"(?:התעלם|שכח).{0,24}(?:הוראות|ההוראות|הכללים|הנחיות)"),
    ("ohita/unohda", r"\b(?:ohita|unohda)\b.{0,32}\b(?:ohje|määräy|sään)"),
    ("figyelmen kívül/felejtsd", r"\b(?:hagyd figyelmen kívül|felejtsd)\b.{0,32}\b(?:utasítás|szabály)"),
    ("ignoră/ignora/uită", r"\b(?:ignor[aă]|uită)\b.{0,32}\b(?:instrucțiuni|regul)"),
    ("เพิกเฉย/ละเว้น/ลืม", r"(?:เพิกเฉย|ละเว้น|ลืม).{0,16}(?:ค(?:ำ|\u0e4d\u0e32)(?:สั่ง|แนะน)|กฎ)"),
    ("دستور", r"(?:دستور|قواعد).{0,24}(?:نادیده|فراموش)"),
)


@dataclass(frozen=True)
class Sign:
    """A pattern, and words in small letters of which one stands in whatever it matches."""

    needs: tuple[str, ...]
    pattern: re.Pattern[str]


@dataclass(frozen=True)
class Signs:
    """Patterns that are looked for together."""

    signs: tuple[Sign, ...]
    _words: tuple[str, ...] = field(init=False)

    def __post_init__(self) -> None:
        """Keep every word once."""
        words = dict.fromkeys(word for sign in self.signs for word in sign.needs)
        object.__setattr__(self, "_words", tuple(words))

    def in_text(self, text: str) -> bool:
        """Say whether one of them matches. Beyond ASCII a letter has forms that `lower` does not know of."""
        if not text.isascii():
            return any(sign.pattern.search(text) for sign in self.signs)
        low = text.lower()
        held = {word for word in self._words if word in low}
        return bool(held) and any(
            sign.pattern.search(text) for sign in self.signs if not held.isdisjoint(sign.needs)
        )


def _signs(*told: Sequence[tuple[str, str]]) -> Signs:
    found = (
        Sign(tuple(needs.split("/")), re.compile(pattern, re.I)) for some in told for needs, pattern in some
    )
    return Signs(tuple(found))


ANY = _signs(_ENGLISH, _FOREIGN)
# Over lines that happen to stand together only what no accident makes.
JOINED = _signs(_ENGLISH[:2], _FOREIGN)
