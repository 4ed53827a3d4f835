"""Company names: one normal form, so that two files that write a name differently still mean the same reseller."""

from __future__ import annotations

import re
import unicodedata

# Words at the end of a name that say how a company is incorporated, not who it is.
LEGAL_FORMS = frozenset(
    (
        "ag eg ek ev eu gbr gesbr gmbh ggmbh kg kgaa keg og ohg partg partgmbb ug se mbh haftungsbeschrankt stiftung "
        + "co company corp corporation inc incorporated limited llc llp lp ltd plc pty pte pvt cic "
        + "sa sarl sas sasu snc sprl srl srls sapa spa sagl gie eurl eirl ei sl slu sll sau scp sccl sca cb "
        + "lda ltda eireli unipessoal epp me mei sapi sab sociedad anonima limitada "
        + "bv nv vof cvba bvba cv ab hb as asa ans da aps is oy oyj ky kk yk gk spzoo spk spj sro vos doo dd "
        + "kft zrt nyrt bt ooo zao oao ood eood ead sti"
    ).split()
)
_CONNECTORS = frozenset({"und", "and", "u", "de"})  # left over: "Müller GmbH und Co. KG", "S.A. de C.V."
_LETTERS = re.compile(r"\b(?:sp|\w)(?: \w\b)+")  # a form written with dots and spaces: "S. R.L.", "z o.o.", "e. V."
_ASIAN_FORMS = re.compile(
    r"株式会社|有限会社|合同会社|合資会社|合名会社|주식회사|유한회사|有限公司|股份|㈜|㈱|\((?:주|유|株|有)\)"
)


def normalize_company(name: str) -> str:
    """``name`` without case, accents, punctuation and legal form; empty only for a name without any letter or digit.

    "Schäfer AG & Co. KGaA", "SCHAEFER" and "Schäfer" give "schafer", "schaefer", "schafer": transliterations are not
    guessed, because "Bauer" and "Baur" are two companies.
    """
    text = _ASIAN_FORMS.sub(" ", unicodedata.normalize("NFC", name)).strip() or name
    text = unicodedata.normalize("NFKD", text).casefold().replace("ı", "i").replace("ł", "l").replace("ø", "o")
    # Only Latin accents are dropped: voiced marks of kana and hangul parts are letters, and NFC puts them together.
    text = re.sub(r"([a-z])[\u0300-\u036f]+", r"\1", text)
    text = unicodedata.normalize("NFC", text)
    words = re.sub(r"[^\w]+|_", " ", re.sub(r"['’`´]", "", text)).strip()
    parts = _LETTERS.sub(lambda run: run.group().replace(" ", ""), words).split()
    while len(parts) > 1 and (parts[-1] in LEGAL_FORMS or (parts[-1] in _CONNECTORS and len(parts) > 2)):
        parts.pop()
    return " ".join(parts)[:200]
