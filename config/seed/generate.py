"""Writes the demo's network files: ``python -m config.seed.generate``. The same rows every time.

The shapes are those of files that distributors really send: a German spreadsheet export (cp1252, semicolons), a tab
separated file with trailing spaces and capitals, UTF-8 with a byte order mark, a workbook with Japanese and Korean
names, and one with rows that must be refused. Some resellers stand in several files: they buy from several
distributors. Names are invented, every domain is below ``.example`` (RFC 2606).
"""

from __future__ import annotations

import random
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from openpyxl import Workbook

FILES = Path(__file__).with_name("files")
SEGMENTS = ("SMB", "Enterprise", "Public sector", "MSP", "Retail", "Healthcare")
FUNCTIONS = ("owner", "sales", "sales", "marketing", "technical", "technical")


@dataclass(frozen=True)
class Region:
    """What companies and people of a country are called."""

    country: str
    language: str
    first: Sequence[str]
    last: Sequence[str]
    forms: Sequence[str]
    kinds: Sequence[str]
    cities: Sequence[str]


@dataclass(frozen=True)
class Row:
    """A person at a reseller, as a file has it."""

    company: str
    country: str
    city: str
    segment: str
    name: str
    email: str
    function: str
    language: str


def words(text: str) -> tuple[str, ...]:
    """A list of names, separated by spaces."""
    return tuple(text.split())


GERMAN_FIRST = words(
    "Anke Birgit Carsten Dörte Eckhard Frauke Gesa Heiko Ingrid Jürgen Katrin Lars Maike Nils Oliver Petra Ralf Sören "
    "Tanja Ulrike Volker Wiebke Yvonne Björn Christoph Friederike Günther Hannelore Jörg Kerstin Lothar Monika"
)
GERMAN_LAST = words(
    "Ahlers Behrendt Clasen Dierks Eggers Förster Grünwald Hülsmann Jansen Köhler Lüders Möller Niehaus Oelrichs "
    "Petersen Quast Rüther Schäfer Thomsen Uhlig Vogt Wöhler Zander Bäumler Harms Krüger Meißner Steffens Weidner Ott"
)
GERMANY = Region(
    "DE", "de", GERMAN_FIRST, GERMAN_LAST, ("GmbH", "GmbH & Co. KG", "AG", "KG", "e. K.", "OHG"),
    ("IT-Systemhaus", "Netzwerktechnik", "Datentechnik", "EDV-Service", "Systeme", "Informationstechnik"),
    words("Hamburg Bremen Kiel Lübeck Hannover Göttingen Münster Köln Düsseldorf Würzburg Nürnberg Leipzig"),
)  # fmt: skip
AUSTRIA = replace(
    GERMANY, country="AT", forms=("GmbH", "OG", "KG", "e.U."),
    first=words("Andreas Barbara Christian Doris Elfriede Franz Gerlinde Hannes Ilse Josef Karin Leopold Norbert"),
    last=words("Aigner Brandstätter Eder Fuchsbauer Gruber Hölzl Innerhofer Kofler Lechner Moser Pichler Wögerbauer"),
    cities=words("Innsbruck Salzburg Linz Graz Bregenz Villach Klagenfurt Dornbirn"),
)  # fmt: skip
SWITZERLAND = Region(
    "CH", "fr", words("Adrien Béatrice Cédric Denise Étienne Fabienne Gaëlle Hervé Isabelle Jérôme Loïc Mireille"),
    words("Aubert Bovet Chappuis Dubois Favre Girardet Jaquet Monnier Perrin Rochat"), ("SA", "Sàrl"),
    ("Informatique", "Réseaux", "Services Techniques"), words("Lausanne Genève Neuchâtel Fribourg Sion Delémont"),
)  # fmt: skip
NETHERLANDS = Region(
    "NL", "nl", words("Anouk Bram Coen Daan Eline Femke Gijs Hanneke Ilse Joost Koen Lotte Maarten Niels Roos Sjoerd"),
    ("de Boer", "van den Berg", "Hoekstra", "Jansen", "de Jong", "Kuipers", "van Leeuwen", "Postma", "Visser"),
    ("B.V.", "V.O.F.", "N.V."), ("Automatisering", "ICT", "Netwerken", "Systemen"),
    words("Rotterdam Utrecht Eindhoven Groningen Zwolle Breda Haarlem Leeuwarden"),
)  # fmt: skip
SPAIN = Region(
    "ES", "es", words("Adrián Begoña César Dolores Elena Íñigo Gonzalo Inés Javier Lucía María Núria Óscar Pilar Raúl"),
    ("Álvarez Gil", "Bermúdez", "Castaño", "Domínguez", "Echeverría", "Ibáñez", "Martín Peña", "Núñez", "Ordóñez"),
    ("S.L.", "S.A.", "S.L.U.", "S. Coop."), ("Informática", "Redes", "Sistemas", "Comunicaciones", "Telecom"),
    ("Madrid", "Sevilla", "A Coruña", "Málaga", "Zaragoza", "San Sebastián", "València", "Cáceres"),
)  # fmt: skip
PORTUGAL = replace(
    SPAIN, country="PT", language="pt", forms=("Lda.", "S.A."),
    first=words("Afonso Beatriz Conceição Duarte Érica Francisco Graça Inês João Leonor Márcio Sónia Tomás"),
    last=words("Antunes Barbosa Conceição Falcão Gonçalves Leitão Magalhães Simões Tavares Vicência"),
    cities=words("Lisboa Porto Braga Évora Guimarães Setúbal"),
)  # fmt: skip
JAPAN = Region(
    "JP", "ja", words("陽子 健太 美咲 大輔 由美子 翔太 直樹 恵子 拓也 真由美"),
    words("佐藤 鈴木 高橋 田中 渡辺 伊藤 山本 中村 小林 加藤"), ("株式会社", "合同会社"),
    words("東海システム 北斗ネットワーク みなと情報 さくら通信 富士見テクノ 青葉データ"),
    words("東京 大阪 名古屋 札幌 福岡 仙台"),
)  # fmt: skip
KOREA = Region(
    "KR", "ko", words("민준 서연 지훈 수빈 예준 하은 도윤 지우"), words("김 이 박 최 정 강 조 윤"), ("주식회사",),
    words("한빛시스템 가온네트웍스 누리정보 다온솔루션 라온테크"), words("서울 부산 대구 인천 대전"),
)  # fmt: skip
BRITAIN = Region(
    "GB", "en", words("Aisha Benjamin Charlotte Dominic Eleanor Fergus Gemma Harriet Imran Joanna Kwame Lydia Malcolm"),
    words("Ashworth Braithwaite Cartwright Fairclough Greenhalgh Hargreaves Ogden Patel Rawcliffe Sutcliffe Whitaker"),
    ("Ltd", "LLP", "plc"), ("Networks", "Computing", "IT Services", "Systems", "Technology"),
    ("Leeds", "Sheffield", "Stoke-on-Trent", "Newcastle upon Tyne", "Bristol", "Norwich", "Swansea"),
)  # fmt: skip


def ascii_only(text: str) -> str:
    """Letters and digits of a mail address; empty for names in other scripts."""
    folded = unicodedata.normalize("NFKD", text.replace("ß", "ss").replace("ø", "o")).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9]+", "", folded.lower())


def network(chance: random.Random, code: str, companies: int, regions: Sequence[tuple[Region, int]]) -> list[Row]:
    """The rows of ``companies`` resellers with one to six people each; ``regions`` come with weights."""
    rows: list[Row] = []
    taken: set[str] = set()
    for number in range(companies):
        region = chance.choices([r for r, _ in regions], [w for _, w in regions])[0]
        company = company_name(chance, region, taken)
        domain = f"{ascii_only(company)[:24] or 'partner'}-{code}{number}.example"
        city, segment = chance.choice(region.cities), chance.choice(SEGMENTS)
        for place in range(chance.choice((1, 2, 2, 3, 3, 4, 6))):
            first, last = chance.choice(region.first), chance.choice(region.last)
            asian = region.language in {"ja", "ko"}
            local = f"{ascii_only(first)}.{ascii_only(last)}" if not asian else f"contact{place + 1}"
            rows.append(
                Row(
                    company, region.country, city, segment,
                    f"{last} {first}" if asian else f"{first} {last}", f"{local}{place or ''}@{domain}",
                    chance.choice(FUNCTIONS), region.language,
                )
            )  # fmt: skip
    return rows


def company_name(chance: random.Random, region: Region, taken: set[str]) -> str:
    """A name that is not taken yet."""
    while True:
        kind, form, last = chance.choice(region.kinds), chance.choice(region.forms), chance.choice(region.last)
        if region.language in {"ja", "ko"}:
            name = f"{form}{kind}" if chance.random() < 0.4 else f"{form} {last}{kind}"
        else:
            pattern = chance.choice(("{last} {kind} {form}", "{kind} {last} {form}", "{last} & Partner {kind} {form}"))
            name = pattern.format(last=last, kind=kind, form=form)
        if name not in taken:
            taken.add(name)
            return name


def companies_of(rows: Sequence[Row], chance: random.Random, share: float) -> list[Row]:
    """The rows of a share of the companies."""
    names = sorted({row.company for row in rows})
    chosen = set(chance.sample(names, round(len(names) * share)))
    return [row for row in rows if row.company in chosen]


def retyped(rows: Sequence[Row], chance: random.Random) -> list[Row]:
    """The same people as somebody else typed them: capitals, trailing spaces, another function, some of them gone."""
    seen = []
    for row in rows:
        if chance.random() < 0.15:
            continue
        email = row.email.upper() if chance.random() < 0.3 else row.email
        name = f"{row.name} " if chance.random() < 0.3 else row.name
        seen.append(replace(row, email=email, name=name, function=chance.choice(FUNCTIONS)))
    return seen


def cells(row: Row) -> list[str]:
    """In the order of the English headers."""
    return [row.company, row.country, row.city, row.segment, row.name, row.email, row.function, row.language]


ENGLISH = ["company", "country", "city", "segment", "contact_name", "email", "function", "language"]
GERMAN = ["Firma", "Land", "Ort", "Segment", "Ansprechpartner", "E-Mail", "Funktion", "Sprache"]


def write_text(
    name: str, headers: list[str], rows: Sequence[list[str]], *, encoding: str, delimiter: str, end: str = "\r\n"
) -> None:
    """A delimited file; cells with the delimiter or a quote are quoted."""

    def quoted(cell: str) -> str:
        return '"' + cell.replace('"', '""') + '"' if delimiter in cell or '"' in cell else cell

    lines = [delimiter.join(quoted(cell) for cell in line) for line in [headers, *rows]]
    (FILES / name).write_bytes((end.join(lines) + end).encode(encoding))


def write_workbook(name: str, headers: list[str], rows: Sequence[list[str]]) -> None:
    """An XLSX file with one sheet."""
    book = Workbook(write_only=True)
    sheet = book.create_sheet("Partners")
    for line in [headers, *rows]:
        sheet.append(line)
    book.save(FILES / name)


BAD_ROWS = [
    ["Missing Mail Ltd", "GB", "Leeds", "SMB", "Someone Else", "", "sales", "en"],
    ["Wrong Mail Ltd", "GB", "Leeds", "SMB", "Someone Else", "someone-at-wrong.example", "sales", "en"],
    ["Two Mails Ltd", "GB", "Leeds", "SMB", "Two People", "one@two.example; two@two.example", "sales", "en"],
    ['=HYPERLINK("http://evil.example","x")', "GB", "Leeds", "SMB", "Formula", "f@formula.example", "sales", "en"],
    ["Nowhere Ltd", "Atlantis", "Leeds", "SMB", "Somebody", "x@nowhere.example", "sales", "en"],
]


def main() -> None:
    """Write all files."""
    FILES.mkdir(exist_ok=True)
    chance = random.Random(20270301)
    nordlicht = network(chance, "n", 190, [(GERMANY, 8), (AUSTRIA, 2), (SWITZERLAND, 1)])
    alpine = [row for row in nordlicht if row.country in {"AT", "CH"}]
    vexis = network(chance, "v", 120, [(NETHERLANDS, 4), (GERMANY, 1)])
    vexis += retyped(companies_of(nordlicht, chance, 0.3), chance)
    chance.shuffle(vexis)
    alpenrand = network(chance, "a", 60, [(AUSTRIA, 1)]) + retyped(companies_of(alpine, chance, 0.5), chance)
    iberica = network(chance, "i", 130, [(SPAIN, 3), (PORTUGAL, 1)])
    pacifica = network(chance, "p", 90, [(JAPAN, 3), (KOREA, 1)])
    brackenridge = network(chance, "b", 110, [(BRITAIN, 1)])
    write_text("nordlicht.csv", GERMAN, [cells(r) for r in nordlicht], encoding="cp1252", delimiter=";")
    write_text("vexis.csv", ENGLISH, [cells(r) for r in vexis], encoding="utf-8", delimiter="\t")
    write_text("alpenrand.csv", GERMAN, [cells(r) for r in alpenrand], encoding="cp1252", delimiter=";")
    write_text("iberica.csv", ENGLISH, [cells(r) for r in iberica], encoding="utf-8-sig", delimiter=",", end="\n")
    write_workbook("pacifica.xlsx", ENGLISH, [cells(r) for r in pacifica])
    british = [cells(r) for r in brackenridge]
    write_text("brackenridge.csv", ENGLISH, [*british[:40], *BAD_ROWS, *british[40:]], encoding="utf-8", delimiter=",")


if __name__ == "__main__":
    main()
