"""Words of real files: headers, countries, languages, functions, company names."""

from __future__ import annotations

import pytest

from accounts.imports.mapping import guess
from accounts.imports.vocabulary import country_code, function_of, header_meaning, language_tag
from accounts.names import normalize_company


@pytest.mark.parametrize(
    ("headers", "meanings"),
    [
        (
            "Firma Land Ort Segment Ansprechpartner E-Mail Funktion Sprache Kundennummer",
            "company country city segment name email function language customer_number",
        ),
        ("company country city contact_name email function", "company country city name email function"),
        (
            "Société|Pays|Ville|Prénom|Nom|Courriel|Fonction|Langue",
            "company country city first_name last_name email function language",
        ),
        (
            "Empresa|País|Ciudad|Contacto|Correo electrónico|Cargo|Idioma",
            "company country city name email function language",
        ),
        ("会社名|国|市|担当者|メールアドレス|役職|言語", "company country city name email function language"),
        ("회사명|국가|도시|담당자|이메일|직책|언어", "company country city name email function language"),
        ("Kd.-Nr.|E-Mail-Adresse|FIRMENNAME|Länderkürzel", "customer_number email company country"),
        ("Vorname|Name|Firma|Mail", "first_name last_name company email"),
        ("Name|Land", "company country"),
    ],
)
def test_headers_are_understood(headers, meanings):
    names = headers.split("|") if "|" in headers else headers.split()
    columns = guess(names)
    assert [columns[name] for name in names] == meanings.split()


def test_unknown_and_repeated_headers_are_left_out():
    assert guess(["Firma", "Unternehmen", "Umsatz 2025", "E-Mail", "Tags", "Labels"]) == {
        "Firma": "company",
        "E-Mail": "email",
        "Tags": "tags",
        "Labels": "tags",
    }
    assert header_meaning("Umsatz") is None


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("DE", "DE"),
        ("de", "DE"),
        ("DEU", "DE"),
        ("276", "DE"),
        ("Deutschland", "DE"),
        ("Allemagne", "DE"),
        ("ALEMANIA", "DE"),
        ("Österreich", "AT"),
        ("Oesterreich", None),
        ("España", "ES"),
        ("Espana", "ES"),
        ("UK", "GB"),
        ("Great Britain", "GB"),
        ("Vereinigtes Königreich", "GB"),
        ("U.S.A.", None),
        ("USA", "US"),
        ("Holland", "NL"),
        ("日本", "JP"),
        ("대한민국", "KR"),
        ("Atlantis", None),
        ("EU", None),
    ],
)
def test_countries_in_many_languages(text, code):
    assert country_code(text) == code


@pytest.mark.parametrize(
    ("text", "tag"),
    [
        ("de", "de"),
        ("DE", "de"),
        ("de-AT", "de-AT"),
        ("pt_BR", "pt-BR"),
        ("ger", "de"),
        ("Deutsch", "de"),
        ("allemand", "de"),
        ("日本語", "ja"),
        ("한국어", "ko"),
        ("zh-Hant", "zh-Hant"),
        ("klingon", None),
        ("tlh", None),
        ("xx", None),
        ("x" * 50, None),
    ],
)
def test_languages_become_bcp_47_tags(text, tag):
    assert language_tag(text) == tag


@pytest.mark.parametrize(
    ("text", "function"),
    [
        ("owner", "owner"),
        ("Geschäftsführerin", "owner"),
        ("Director", "owner"),
        ("Sales Director", "sales"),
        ("Leiter Vertrieb", "sales"),
        ("Marketingleiterin", "marketing"),
        ("Técnico", "technical"),
        ("IT", "technical"),
        ("Einkauf", "purchasing"),
        ("営業", "sales"),
        ("대표이사", "owner"),
        ("Sonstige", "other"),
        ("Astronaut", None),
    ],
)
def test_functions_by_job_title(text, function):
    assert function_of(text) == function


@pytest.mark.parametrize(
    ("name", "normal"),
    [
        ("Schäfer AG & Co. KGaA", "schafer"),
        ("SCHÄFER", "schafer"),
        ("Lourenço Moura S.A.", "lourenco moura"),
        ("Irizarry y Menchaca S. R.L. de C.V.", "irizarry y menchaca"),
        ("Podgórny-Idec Sp. z o.o. Sp.k.", "podgorny idec"),
        ("株式会社ガイア", "ガイア"),
        ("유한회사 한가람유통", "한가람유통"),
        ("O'Brien Ltd", "obrien"),
        ("Co.", "co"),
        ("AG", "ag"),
        ("!!!", ""),
    ],
)
def test_company_names_without_legal_form(name, normal):
    assert normalize_company(name) == normal


def test_umlauts_written_out_are_another_company():
    assert normalize_company("Bauer GmbH") != normalize_company("Baur GmbH")
