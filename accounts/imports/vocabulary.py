"""Words of real files: headers, countries, languages and functions, in the languages our partners export in."""

from __future__ import annotations

import functools
import re
import unicodedata

from babel import Locale, localedata
from babel.core import UnknownLocaleError, get_global
from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.enums import Function

# Whose words for countries and languages are understood, besides the codes; each costs 15 ms once per process.
_NAMING = "en de fr es pt it nl pl cs sk sl hr hu ro bg el tr sv da nb fi et lv lt uk ru ja ko zh zh_Hant ca"
NAMING_LOCALES = tuple(_NAMING.split(" "))


class Field(models.TextChoices):
    """What a column of a file can mean."""

    COMPANY = "company", _("Company")
    COUNTRY = "country", _("Country")
    CITY = "city", _("City")
    SEGMENT = "segment", _("Segment")
    CUSTOMER_NUMBER = "customer_number", _("Customer number")
    NAME = "name", _("Contact name")
    FIRST_NAME = "first_name", _("First name")
    LAST_NAME = "last_name", _("Last name")
    EMAIL = "email", _("E-mail")
    FUNCTION = "function", _("Function")
    LANGUAGE = "language", _("Language")
    TAGS = "tags", _("Tags")
    TERRITORY = "territory", _("Territory")
    PRODUCT_LINES = "product_lines", _("Product lines")


_HEADERS: dict[Field, str] = {
    Field.COMPANY: """company|company name|account|account name|organisation|organization|reseller|reseller name|partner
        |partner name|customer|customer name|business name|firma|firmenname|firmierung|unternehmen|kunde|kundenname
        |händler|haendler|société|societe|entreprise|raison sociale|revendeur|nom de la société|client|empresa
        |nombre de empresa|razón social|razao social|razão social|compañía|cliente|distribuidor|revendedor
        |nome da empresa|azienda|ragione sociale|società|rivenditore|bedrijf|bedrijfsnaam|organisatie|firmanaam|klant
        |företag|firmanavn|virksomhed|yritys|nazwa firmy|spółka|společnost|cég|şirket|会社|会社名|企業名|法人名|取引先
        |회사|회사명|업체명|거래처|公司|公司名称|公司名稱""",
    Field.COUNTRY: """country|country code|country/region|land|länderkennzeichen|laenderkennzeichen|länderkürzel|staat
        |pays|code pays|país|pais|país/región|paese|nazione|stato|landcode|maa|kraj|země|ország|ülke|国|国名|国コード
        |국가|나라|国家|國家""",
    Field.CITY: """city|town|ort|stadt|wohnort|firmensitz|ville|localité|ciudad|localidad|población|poblacion|cidade
        |città|citta|comune|località|plaats|stad|woonplaats|vestigingsplaats|by|ort/stadt|kaupunki|miasto|miejscowość
        |město|város|şehir|市|市区町村|都市|所在地|도시|시|城市""",
    Field.SEGMENT: """segment|customer segment|market segment|industry|vertical|kundensegment|marktsegment|branche
        |secteur|segmento|sector|setor|settore|segmentti|sektor|セグメント|業種|세그먼트|업종|行业""",
    Field.CUSTOMER_NUMBER: """customer number|customer no|customer id|account number|account no|account id|partner id
        |partner number|reseller id|kundennummer|kundennr|kunden-nr|kd-nr|kdnr|debitor|debitorennummer|debitoren-nr
        |numéro client|numero client|n° client|no client|code client|número de cliente|numero de cliente|nº cliente
        |código de cliente|código cliente|codigo cliente|número do cliente|codice cliente|numero cliente|klantnummer
        |klantnr|kundnummer|kundenummer|asiakasnumero|numer klienta|číslo zákazníka|vevőszám|顧客番号|取引先コード
        |得意先コード|고객번호|거래처코드|客户编号""",
    Field.NAME: """name|contact|contact name|contact person|full name|person|ansprechpartner|ansprechpartnerin
        |kontakt|kontaktperson|kontaktname|ansprechperson|nom complet|nom du contact|interlocuteur|personne de contact
        |contacto|nombre de contacto|persona de contacto|nombre completo|nombre y apellidos|contato|nome do contato
        |nome do contacto|nome completo|contatto|referente|nominativo|contactpersoon|naam|kontaktperson|yhteyshenkilö
        |osoba kontaktowa|kontaktní osoba|kapcsolattartó|yetkili|担当者|担当者名|氏名|お名前|담당자|담당자명|이름|성명
        |联系人|姓名""",
    Field.FIRST_NAME: """first name|firstname|given name|forename|vorname|prénom|prenom|nombre|nombre de pila
        |primeiro nome|nome próprio|nome|voornaam|förnamn|fornavn|etunimi|imię|jméno|keresztnév|ad|名|이름(명)""",
    Field.LAST_NAME: """last name|lastname|surname|family name|nachname|familienname|zuname|nom|nom de famille
        |apellido|apellidos|sobrenome|apelido|cognome|achternaam|efternamn|efternavn|etternavn|sukunimi|nazwisko
        |příjmení|vezetéknév|soyad|姓|성""",
    Field.EMAIL: """e-mail|email|mail|e-mail address|email address|mail address|contact email|business email
        |e-mail-adresse|mailadresse|emailadresse|mail-adresse|elektronische post|courriel|adresse e-mail|adresse mail
        |adresse courriel|mél|correo|correo electrónico|correo electronico|dirección de correo|correio eletrónico
        |correio eletrônico
        |endereço de e-mail|indirizzo e-mail|posta elettronica|e-mailadres|epost|e-post|e-postadress|sähköposti
        |adres e-mail|e-posta|メール|メールアドレス|eメール|電子メール|이메일|이메일주소|메일|전자우편|邮箱|电子邮件""",
    Field.FUNCTION: """function|role|job title|title|position|job|job function|funktion|rolle|position im unternehmen
        |stellung|abteilung|tätigkeit|berufsbezeichnung|fonction|poste|rôle|función|funcion|cargo|puesto|rol|função
        |funcao|funzione|ruolo|mansione|functie|befattning|stilling|tehtävä|stanowisko|funkcja|funkce|pozice|beosztás
        |görev|unvan|職種|役割|役職|部署|직책|직무|역할|부서|职位""",
    Field.LANGUAGE: """language|lang|preferred language|locale|sprache|korrespondenzsprache|sprachcode|langue
        |langue préférée|idioma|lengua|língua|lingua|taal|voorkeurstaal|språk|sprog|kieli|język|jazyk|nyelv|dil|言語
        |언어|语言""",
    Field.TAGS: """tags|tag|labels|label|keywords|groups|group|schlagwort|schlagworte|schlagwörter|stichwörter|etikett
        |kennzeichen|gruppe|gruppen|étiquettes|mots-clés|etiquetas|etiqueta|palabras clave|palavras-chave|etichette
        |tagi|タグ|ラベル|태그|标签|rank|partner level|partner status|partnerstatus|partnerlevel|status""",
    Field.TERRITORY: """territory|region|sales region|area|gebiet|vertriebsgebiet|vertriebsregion|territoire|région
        |territorio|región|zona|território|região|regio|rayon|alue|teren|地域|エリア|担当地域|지역|영업지역|区域""",
    Field.PRODUCT_LINES: """product lines|product line|products|portfolio|product groups|produktlinie|produktlinien
        |produktgruppe|produktgruppen|sortiment|gammes|gamme|gammes de produits|lignes de produits|líneas de producto
        |líneas de productos|lineas de producto|linhas de produto|linhas de produtos|linee di prodotto|productlijnen
        |productgroepen|製品ライン|取扱製品|제품군|产品线""",
}

_FUNCTIONS: dict[Function, str] = {
    Function.OWNER: """owner founder ceo gf gl president proprietor principal partner director "managing director" md
        inhaber inhaberin geschaftsfuhrer geschaftsfuhrerin geschaftsfuhrung geschaftsleitung geschaftsleiter vorstand
        eigentumer gesellschafter gerant gerante dirigeant dirigeante directeur directrice pdg proprietaire patron
        propietario propietaria dueno duena gerente director directora administrador socio dono dona proprietario
        proprietaria titular titolare amministratore eigenaar eigenares directeur zaakvoerder agare vd ejer indehaver
        eier direktor omistaja toimitusjohtaja wlasciciel prezes majitel jednatel tulajdonos ugyvezeto sahibi
        代表取締役 社長 代表 経営者 代表者 オーナー 대표 대표이사 사장 경영 总经理 老板""",
    Function.SALES: """sales seller account vertrieb verkauf vertriebsleiter verkaufer verkauferin aussendienst
        innendienst ventes vente commercial commerciale vendeur ventas comercial vendedor vendedora vendas vendite
        commerciale venditore verkoop verkoper saljare forsaljning salg salgs saelger selger myynti myyja sprzedaz
        handlowiec prodej obchod ertekesites satis 営業 販売 セールス 영업 판매 세일즈 销售""",
    Function.MARKETING: """marketing marcom communications kommunikation werbung communication mercadotecnia publicidad
        comunicacion comunicacao comunicazione marknad markedsforing markkinointi marketingleiter pazarlama
        マーケティング 広報 宣伝 마케팅 홍보 市场""",
    Function.TECHNICAL: """technical technician technology tech engineer engineering presales pre-sales support
        consultant it cto service technik techniker technikerin technisch technische entwickler ingenieur ingenieurin
        systemtechniker technique technicien technicienne ingenieur tecnico tecnica ingeniero ingeniera soporte
        engenheiro engenheira suporte ingegnere techniek technicus technisch tekniker ingenjor teknisk tekninen
        insinoori techniczny inzynier technik technicky muszaki teknik muhendis 技術 エンジニア 技術者 サポート 기술
        엔지니어 技术 工程师""",
    Function.PURCHASING: """purchasing purchase buyer procurement buying einkauf einkaufer einkauferin beschaffung
        achats achat acheteur acheteuse compras comprador compradora acquisti acquisto buyer inkoop inkoper inkop
        inkopare indkob innkjop osto ostaja zakupy zaopatrzenie nakup beszerzes satinalma 購買 調達 仕入 구매 采购""",
    Function.OTHER: """other sonstige sonstiges andere autre otro otra outro outra altro overig anden muu inne
        その他 기타 其他""",
}

_MORE_COUNTRIES = {
    "uk": "GB",
    "great britain": "GB",
    "england": "GB",
    "scotland": "GB",
    "wales": "GB",
    "northern ireland": "GB",
    "gran bretana": "GB",
    "grossbritannien": "GB",
    "holland": "NL",
    "brd": "DE",
    "allemagne": "DE",
    "usa": "US",
    "us": "US",
    "america": "US",
    "united states of america": "US",
    "korea": "KR",
    "republic of korea": "KR",
    "czech republic": "CZ",
    "turkey": "TR",
    "d": "DE",
    "a": "AT",
    "ch": "CH",
    "f": "FR",
    "i": "IT",
    "e": "ES",
    "p": "PT",
    "nl": "NL",
    "b": "BE",
    "l": "LU",
    "gb": "GB",
}


def fold(text: str) -> str:
    """``text`` for comparing words: no case, no Latin accents, no punctuation, one space between words."""
    text = unicodedata.normalize("NFKD", text).casefold()
    text = unicodedata.normalize("NFC", re.sub(r"([a-zæøß])[\u0300-\u036f]+", r"\1", text)).replace("ß", "ss")
    return " ".join(re.sub(r"[^\w]+|_", " ", text).split())


@functools.cache
def _header_words() -> dict[str, Field]:
    words: dict[str, Field] = {}
    for meaning, names in _HEADERS.items():
        for name in names.split("|"):
            words.setdefault(fold(name).replace(" ", ""), meaning)
    for meaning in Field:
        words.setdefault(meaning.value.replace("_", ""), meaning)
    return words


def header_meaning(header: str) -> Field | None:
    """What a column with this header most likely means; None when we cannot tell."""
    return _header_words().get(fold(header).replace(" ", ""))


@functools.cache
def _countries() -> dict[str, str]:
    names = dict(_MORE_COUNTRIES)
    codes = {code for code in map(str, Locale("en").territories) if len(code) == 2 and code.isalpha()} - {
        "ZZ",
        "XA",
        "XB",
        "EU",
    }
    codes -= {"EZ", "UN", "QO"}
    for alias, replacements in get_global("territory_aliases").items():
        if len(alias) == 3 and len(replacements) == 1 and replacements[0] in codes:
            names.setdefault(alias.casefold(), replacements[0])
    for locale in NAMING_LOCALES:
        for code, name in Locale.parse(locale).territories.items():
            if code in codes:
                names.setdefault(fold(name), str(code))
    return names | {code.casefold(): code for code in codes}


def country_code(text: str) -> str | None:
    """ISO 3166-1 alpha-2 code for a code (two or three letters, digits) or a name; None when unknown."""
    return _countries().get(fold(text))


@functools.cache
def _languages() -> dict[str, str]:
    # CLDR also names Klingon; only languages that somebody can set a computer to are taken.
    codes = {code for code in map(str, Locale("en").languages) if "_" not in code and localedata.exists(code)}
    names: dict[str, str] = {}
    for alias, replacement in get_global("language_aliases").items():
        if len(alias) == 3 and replacement in codes:
            names.setdefault(alias, replacement)
    for locale in NAMING_LOCALES:
        for code, name in Locale.parse(locale).languages.items():
            if code in codes:
                names.setdefault(fold(name), str(code))
    return names | {code.casefold(): code for code in codes}


@functools.cache
def language_tag(text: str) -> str | None:
    """BCP 47 tag ("de", "pt-BR") for a tag, a code or a language's name; None when unknown."""
    if code := _languages().get(fold(text)):
        return code
    try:
        locale = Locale.parse(text.strip().replace("-", "_"), sep="_")
    except (UnknownLocaleError, ValueError):
        return None
    if locale.language not in _languages().values():
        return None
    tag = "-".join(part for part in (locale.language, locale.script, locale.territory) if part)
    return tag if len(tag) <= 12 else locale.language


@functools.cache
def _function_words() -> dict[str, Function]:
    words: dict[str, Function] = {}
    for function, names in _FUNCTIONS.items():
        for name in names.replace('"', "").split():
            words.setdefault(fold(name).replace(" ", ""), function)
    return words


@functools.cache
def function_of(text: str) -> Function | None:
    """The function that a job title names, by the first word we know ("Leiter Vertrieb" sells); None when unknown."""
    words = _function_words()
    folded = fold(text)
    if whole := words.get(folded.replace(" ", "")):
        return whole
    parts = folded.split()
    # "director" alone owns the place, a "sales director" sells: the special word wins over the general one.
    found = [words[part] for part in parts if part in words]
    found += [
        function
        for part in parts
        for word, function in words.items()
        if part not in words and (len(word) >= 5 or not word.isascii()) and word in part
    ]
    special = [function for function in found if function not in (Function.OWNER, Function.OTHER)]
    return next(iter(special or found), None)
