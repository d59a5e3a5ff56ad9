"""Normalise and hash match keys; send nothing empty."""

from __future__ import annotations

from hashlib import sha256
from ipaddress import ip_address
from typing import Any

import pytest

from tiktok_pixel.tiktok.identifiers import build_user, identifies

NOTHING = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
HASHED = "b4c9a289323b21a01c3e940f150eb9b8c542587f1abfd8f0e1cc1ffc5e475514"
BLANK: list[Any] = [None, "", " ", "\t\u00a0\ufeff", [], [None], [""]]


def digest(text: str) -> str:
    """Return the SHA-256 in hex."""
    return sha256(text.encode()).hexdigest()


def user_of(region: str | None = "US", **fields: Any) -> tuple[dict[str, Any], list[str]]:
    """Build the user object of these fields; return it with the codes of its problems."""
    user, problems = build_user(fields, region)
    return user, [problem.code for problem in problems]


@pytest.mark.parametrize(
    ("field", "value", "key", "expected"),
    [
        pytest.param(
            "email",
            " ALICE_abc@gmail.com ",
            "email",
            ["848a771458438fc2ec420560d769fb9b9b86851ee338ec56517baabd79d3bb4f"],
            id="TikTok's e-mail",
        ),
        pytest.param(
            "email",
            " User@Example.com ",
            "email",
            [HASHED],
            id="the page's rule for e-mails: trim and lower-case",
        ),
        pytest.param(
            "email",
            "coreytest1231@gmail.com",
            "email",
            ["eb9869a32b532840dd6aa714f7a872d21d6f650fc5aa933d9feefc64708969c7"],
            id="Segment's e-mail",
        ),
        pytest.param(
            "phone_number",
            "+12133734253",
            "phone",
            ["9f7ec22d72092cd3c0b58726ed9c2d91b92e51a3f29837508fb2948bb22dd2fd"],
            id="TikTok's phone",
        ),
        pytest.param(
            "phone_number",
            "+1555-555-5555",
            "phone",
            ["910a625c4ba147b544e6bd2f267e130ae14c591b6ba9c25cb8573322dedbebd0"],
            id="Segment's phone",
        ),
        pytest.param(
            "phone_number",
            "2065550100",
            "phone",
            ["b4fa1a0e9e520f7186de1a00b1b84abb55a5c7feab09e7c3b8059ca32a6abd4f"],
            id="the page's rule for phones: E.164",
        ),
        pytest.param(
            "external_id",
            "user_123",
            "external_id",
            ["80fba0ae1c48e3978e43e4efc365e14e12ea0c830ba8ba5b9a2dafc7e3f2ab8b"],
            id="TikTok's external id",
        ),
        pytest.param(
            "external_id",
            " AbC-42 ",
            "external_id",
            ["b3117d4fd94fd79ceae24528bc6a962216696b9fa55188a5dfc4532516c80bfb"],
            id="the page's rule for external ids: trim, keep the case",
        ),
        pytest.param(
            "first_name",
            "Jane",
            "first_name",
            "81f8f6dde88365f3928796ec7aa53f72820b06db8664f5fe76a7eb13e24546a2",
            id="TikTok's first name",
        ),
        pytest.param(
            "address",
            {"zip_code": "95110"},
            "zip_code",
            "383f7fffd99f3b1c3066086bcf991eae7ad543589d12bd792ecb6dc8b5acebc1",
            id="TikTok's zip code",
        ),
        pytest.param(
            "address",
            {"zip_code": "M5V 3L9"},
            "zip_code",
            "5c850751d57c5d887fe7807d3da801efe7e8faa1f105ea36cdcd913dd32a41c7",
            id="TikTok's Canadian zip code",
        ),
    ],
)
def test_agrees_with_the_published_vectors(field: str, value: Any, key: str, expected: Any) -> None:
    assert user_of(**{field: value}) == ({key: expected}, [])


@pytest.mark.parametrize(
    ("email", "normalised"),
    [
        ("\ufeffÄ@Example.COM\u00a0", "ä@example.com"),
        ("a.b+tag@googlemail.com", "a.b+tag@googlemail.com"),
        ("a@b", "a@b"),
    ],
)
def test_an_email_is_trimmed_and_lower_cased_and_nothing_else(email: str, normalised: str) -> None:
    assert user_of(email=email) == ({"email": [digest(normalised)]}, [])


@pytest.mark.parametrize(
    "email",
    [
        "nobody",
        "@example.com",
        "jane@",
        "@",
        "a@b@c",
        "a b@example.com",
        "a@exam\tple.com",
        "a\u00a0@example.com",
        "a\ufeffb@example.com",
        "a@b, c@d",
    ],
)
def test_an_invalid_email_is_left_out_and_reported(email: str) -> None:
    assert user_of(email=email) == ({}, ["email_not_an_address"])


@pytest.mark.parametrize(
    ("phone", "code"),
    [
        ("12345", "phone_not_valid"),
        ("+1", "phone_not_possible"),
        ("not given", "phone_not_possible"),
        ({"number": "+12133734253"}, "phone_not_a_string"),
    ],
)
def test_an_unusable_phone_is_left_out_and_reported(phone: Any, code: str) -> None:
    assert user_of(phone_number=phone) == ({}, [code])


def test_a_national_phone_without_a_region_is_left_out_and_reported() -> None:
    assert user_of(region=None, phone_number="2065550100") == ({}, ["phone_without_region"])


@pytest.mark.parametrize(
    ("region", "more"),
    [
        ("US", {"address": {"country": "gb"}}),
        ("US", {"address": {"country": "United Kingdom"}}),
        ("GB", {"locale": "en-US"}),
        (None, {"locale": "en-GB"}),
    ],
)
def test_a_national_phone_takes_its_region_from_country_default_or_locale(
    region: str | None, more: dict[str, Any]
) -> None:
    user, problems = user_of(region=region, phone_number="020 7946 0958", **more)

    assert (user["phone"], problems) == ([digest("+442079460958")], [])


def test_numeric_phones_and_ids_are_accepted() -> None:
    user, problems = user_of(phone_number=2065550100, external_id=4711)

    assert user == {"phone": [digest("+12065550100")], "external_id": [digest("4711")]}
    assert problems == []


@pytest.mark.parametrize("value", [float("inf"), pytest.param(10**400, id="401 digits")])
def test_a_number_beyond_a_double_is_not_an_id(value: float) -> None:
    assert user_of(external_id=value) == ({}, ["external_id_not_a_string"])


@pytest.mark.parametrize(
    ("field", "key"),
    [
        ("email", "email"),
        ("phone_number", "phone"),
        ("external_id", "external_id"),
        ("first_name", "first_name"),
        ("last_name", "last_name"),
    ],
)
@pytest.mark.parametrize("write", [str, str.upper, lambda text: f" {text}\n"])
def test_a_sha256_counts_as_already_hashed(field: str, key: str, write: Any) -> None:
    user, problems = user_of(**{field: write(HASHED)})

    assert user[key] in (HASHED, [HASHED])
    assert problems == []


def test_a_zip_code_can_be_hashed_already() -> None:
    assert user_of(address={"zip_code": HASHED.upper()}) == ({"zip_code": HASHED}, [])


@pytest.mark.parametrize("digits", [32, 40, 96, 128])
@pytest.mark.parametrize(("field", "key"), [("email", "email"), ("phone_number", "phone")])
def test_another_digest_is_left_out_and_reported(digits: int, field: str, key: str) -> None:
    """TikTok could not match it, whether hashed again or not."""
    value = ("aB3" * 50)[:digits]

    assert user_of(**{field: value}) == ({}, [f"{key}_not_sha256"])


@pytest.mark.parametrize(
    "external_id", ["8c1f9b6e2d4a4f0c9a7be8d3c5f1a2b4", "c" * 40, "d" * 96, "e" * 128]
)
def test_an_external_id_that_looks_like_another_digest_is_an_id(external_id: str) -> None:
    """A UUID without dashes has 32 hex digits."""
    assert user_of(external_id=external_id) == ({"external_id": [digest(external_id)]}, [])


@pytest.mark.parametrize(
    "value", ["a" * 31, "a" * 33, "a" * 63, "a" * 65, "g" + "a" * 63, "٣" * 64, "0x" + "a" * 62]
)
def test_text_that_only_resembles_a_digest_is_hashed(value: str) -> None:
    assert user_of(external_id=value) == ({"external_id": [digest(value)]}, [])


@pytest.mark.parametrize(
    ("values", "hashed"),
    [
        (["a@x.io", "b@x.io"], ["a@x.io", "b@x.io"]),
        (["a@x.io", " A@X.io "], ["a@x.io"]),
        (["a@x.io", digest("a@x.io").upper()], ["a@x.io"]),
        ([None, "", "a@x.io", " "], ["a@x.io"]),
        (["", "a@x.io"], ["a@x.io"]),
    ],
)
def test_several_values_are_hashed_in_order_without_duplicates(
    values: list[Any], hashed: list[str]
) -> None:
    assert user_of(email=values) == ({"email": [digest(one) for one in hashed]}, [])


def test_an_unusable_value_in_a_list_is_left_out_alone() -> None:
    user, problems = user_of(email=["nobody", {}, "a@x.io"], external_id=[["x", "y"], "id"])

    assert user == {"email": [digest("a@x.io")], "external_id": [digest("id")]}
    assert problems == ["email_not_an_address", "email_not_a_string", "external_id_not_a_string"]


def test_external_ids_of_type_email_and_phone_are_match_keys() -> None:
    user, problems = user_of(
        email="a@x.io",
        external_ids=[
            {"type": "email", "id": "B@x.io", "collection": "users", "encoding": "none"},
            {"type": "email", "id": "a@x.io"},
            {"type": "phone", "id": "+12133734253"},
            {"type": "ios.idfa", "id": "ABC"},
            {"type": "email"},
            {"type": "email", "id": None},
            "junk",
            None,
        ],
    )

    assert user == {
        "email": [digest("a@x.io"), digest("b@x.io")],
        "phone": [digest("+12133734253")],
    }
    assert problems == []


@pytest.mark.parametrize("email", [None, ""])
def test_twenty_external_ids_are_not_too_many(email: Any) -> None:
    emails = [f"{number}@x.io" for number in range(20)]
    external_ids = [{"type": "email", "id": one} for one in emails]

    user, problems = user_of(email=email, external_ids=external_ids)

    assert (user, problems) == ({"email": [digest(one) for one in emails]}, [])


@pytest.mark.parametrize("external_ids", ["a@x.io", {"type": "email", "id": "a@x.io"}, 5, True])
def test_external_ids_of_another_shape_are_ignored(external_ids: Any) -> None:
    assert user_of(external_ids=external_ids) == ({}, [])


@pytest.mark.parametrize(
    ("value", "normalised"),
    [
        ("Jane", "jane"),
        (" Mary-Jane ", "maryjane"),
        ("O'Brien", "obrien"),
        ("de la Cruz", "delacruz"),
        ("José", "josé"),
        ("東京", "東京"),
        ("Anna\u2013Lena", "annalena"),
        ("J.", "j"),
        ("X Æ A-12", "xæa12"),
        ("Jane\ufeffMary", "janemary"),
    ],
)
def test_names_lose_case_white_space_and_punctuation(value: str, normalised: str) -> None:
    user, _ = user_of(first_name=value, last_name=value)

    assert user == {"first_name": digest(normalised), "last_name": digest(normalised)}


@pytest.mark.parametrize(
    ("address", "sent"),
    [
        ({"city": "New York"}, {"city": "newyork"}),
        ({"city": "St. John's"}, {"city": "stjohns"}),
        ({"city": "São Paulo"}, {"city": "saopaulo"}),
        ({"city": "東京"}, {}),
        ({"state": "WA"}, {"state": "wa"}),
        ({"state": "US-WA"}, {"state": "uswa"}),
        ({"state": "--"}, {}),
        ({"city": "Târgu Mureș"}, {"city": "targumures"}),
        ({"state": "Île-de-France"}, {"state": "iledefrance"}),
        ({"country": " US "}, {"country": "us"}),
        ({"zip_code": "98101-1234"}, {"zip_code": digest("98101")}),
        ({"zip_code": "98101 - 1234"}, {"zip_code": digest("98101")}),
        (
            {"zip_code": "98101 1234", "country": "US"},
            {"zip_code": digest("98101"), "country": "us"},
        ),
        (
            {"zip_code": "981011234", "country": "USA"},
            {"zip_code": digest("98101"), "country": "us"},
        ),
        ({"zip_code": "981011234"}, {"zip_code": digest("981011234")}),
        (
            {"zip_code": "98101-1234", "country": "DE"},
            {"zip_code": digest("981011234"), "country": "de"},
        ),
        ({"zip_code": 94107}, {"zip_code": digest("94107")}),
        ({"zip_code": " - "}, {}),
    ],
)
def test_the_address_is_normalised(address: dict[str, Any], sent: dict[str, str]) -> None:
    assert user_of(address=address) == (sent, [])


@pytest.mark.parametrize(
    ("country", "code"),
    [
        ("gb", "gb"),
        ("GBR", "gb"),
        ("UK", "gb"),
        ("United Kingdom", "gb"),
        ("USA", "us"),
        ("U.S.A.", "us"),
        ("The United States of America", "us"),
        ("Deu", "de"),
        ("Germany", "de"),
        ("Côte d'Ivoire", "ci"),
        ("Ivory Coast", "ci"),
        ("South Korea", "kr"),
        ("Korea, Republic of", "kr"),
        ("The Netherlands", "nl"),
        ("Türkiye", "tr"),
        ("Turkey", "tr"),
        ("Viet Nam", "vn"),
        ("Vietnam", "vn"),
        ("NA", "na"),
    ],
)
def test_a_country_is_known_by_its_codes_and_english_names(country: str, code: str) -> None:
    assert user_of(address={"country": country}) == ({"country": code}, [])


@pytest.mark.parametrize("country", ["XX", "Deutschland", "U", "U5", "\uff35\uff33", "日本", 49])
def test_an_unknown_country_is_left_out_and_reported(country: Any) -> None:
    assert user_of(address={"country": country}) == ({}, ["country_not_supported"])


@pytest.mark.parametrize("country", ["Deutschland", "XX", 49, ["DE", "FR"], {"code": "DE"}])
def test_a_national_phone_is_not_read_in_another_region_than_an_unknown_country(
    country: Any,
) -> None:
    user, problems = user_of(
        region="US", phone_number="2065550100", locale="en-US", address={"country": country}
    )
    assert user == {"locale": "en-US"}
    assert problems[0] == "phone_without_region"


@pytest.mark.parametrize("country", ["", None, " ", "null", "N/A"])
def test_a_missing_country_leaves_the_default_region(country: Any) -> None:
    user, _ = user_of(region="US", phone_number="2065550100", address={"country": country})
    assert user == {"phone": [digest("+12065550100")]}


@pytest.mark.parametrize(
    "placeholder", ["null", "undefined", "None", "NaN", "TRUE", "false", "n/a"]
)
@pytest.mark.parametrize(
    ("field", "key"),
    [
        ("email", "email"),
        ("phone_number", "phone"),
        ("external_id", "external_id"),
        ("first_name", "first_name"),
        ("ttclid", "ttclid"),
        ("ttp", "ttp"),
        ("ip", "ip"),
    ],
)
def test_a_placeholder_is_not_an_identifier(field: str, key: str, placeholder: str) -> None:
    assert user_of(**{field: placeholder}) == ({}, [f"{key}_placeholder"])


def test_a_boolean_is_not_an_identifier() -> None:
    assert user_of(external_id=False) == ({}, ["external_id_placeholder"])


@pytest.mark.parametrize("name", ["Jose\u0301", "JOS\u00c9"])
def test_names_are_composed(name: str) -> None:
    assert user_of(first_name=name) == ({"first_name": digest("jos\u00e9")}, [])


@pytest.mark.parametrize(
    ("addresses", "ip"),
    [
        ("8.8.8.8, 10.0.0.1", "8.8.8.8"),
        ("10.0.0.1,8.8.8.8", "8.8.8.8"),
        ("unknown, 2001:4860:4860::8888", "2001:4860:4860::8888"),
    ],
)
def test_the_first_public_ip_of_a_list_is_sent(addresses: str, ip: str) -> None:
    assert user_of(ip=addresses) == ({"ip": ip}, [])


@pytest.mark.parametrize(("private", "sent"), [(19, {"ip": "8.8.8.8"}), (20, {})])
def test_at_most_twenty_addresses_of_a_list_are_read(private: int, sent: dict[str, str]) -> None:
    user, _ = user_of(ip=", ".join(["10.0.0.1"] * private + ["8.8.8.8"]))
    assert user == sent


@pytest.mark.parametrize(("count", "problems"), [(20, []), (21, ["email_too_many"])])
def test_at_most_twenty_values_of_a_match_key_are_sent(count: int, problems: list[str]) -> None:
    emails = [f"{number}@x.io" for number in range(count)]
    assert user_of(email=emails) == ({"email": [digest(one) for one in emails[:20]]}, problems)


def test_the_recipient_of_an_address_is_not_the_person() -> None:
    recipient = {"email": "b@example.com", "first_name": "Bob", "ip": "8.8.4.4"}
    person = {"email": "a@example.com", "first_name": "Ann"}

    assert user_of(address={**recipient, "city": "Rome"}, **person) == user_of(
        address={"city": "Rome"}, **person
    )


@pytest.mark.parametrize("address", ["Main Street 1", 5, True, ["x"]])
def test_an_address_that_is_not_an_object_is_left_out_and_reported(address: Any) -> None:
    assert user_of(address=address) == ({}, ["identifier_not_an_object"])


@pytest.mark.parametrize(
    "address",
    ["8.8.8.8", " 8.8.8.8\n", "2001:4860:4860::8888", "2001:4860:4860:0000:0000:0000:0000:8888"],
)
def test_a_public_ip_is_sent_unchanged(address: str) -> None:
    assert user_of(ip=address) == ({"ip": address.strip()}, [])


@pytest.mark.parametrize(
    ("address", "code"),
    [
        ("10.0.0.1", "ip_not_public"),
        ("192.168.0.10", "ip_not_public"),
        ("172.16.0.1", "ip_not_public"),
        ("100.64.0.1", "ip_not_public"),
        ("127.0.0.1", "ip_not_public"),
        ("169.254.1.1", "ip_not_public"),
        ("0.0.0.0", "ip_not_public"),
        ("255.255.255.255", "ip_not_public"),
        ("224.0.0.1", "ip_not_public"),
        ("192.0.2.1", "ip_not_public"),
        ("203.0.113.7", "ip_not_public"),
        ("::1", "ip_not_public"),
        ("::", "ip_not_public"),
        ("fe80::1", "ip_not_public"),
        ("fc00::1", "ip_not_public"),
        ("ff02::1", "ip_not_public"),
        ("2001:db8::1", "ip_not_public"),
        ("::ffff:10.0.0.1", "ip_not_public"),
        ("unknown", "ip_not_an_address"),
        ("192.168.0.10, 10.0.0.1", "ip_not_public"),
        ("unknown, 10.0.0.1", "ip_not_public"),
        ("a, b", "ip_not_an_address"),
        ("8.8.8.8:443", "ip_not_an_address"),
        ("[2001:4860:4860::8888]", "ip_not_an_address"),
        ("2001:4860:4860::8888%eth0", "ip_not_an_address"),
        ("8.8.8", "ip_not_an_address"),
        (134744072, "ip_not_an_address"),
        ({}, "ip_not_a_string"),
    ],
)
def test_an_ip_that_is_not_public_is_left_out_and_reported(address: Any, code: str) -> None:
    assert user_of(ip=address) == ({}, [code])


@pytest.mark.parametrize("field", ["ttclid", "ttp", "user_agent", "locale"])
def test_match_keys_without_hashing_are_sent_as_plain_text(field: str) -> None:
    assert user_of(**{field: " E.C.P-Abc_9 "}) == ({field: "E.C.P-Abc_9"}, [])


@pytest.mark.parametrize("field", ["ttclid", "ttp"])
@pytest.mark.parametrize(("length", "problems"), [(4096, []), (4097, ["too_long"])])
def test_click_ids_and_cookies_are_sent_whole_or_not_at_all(
    field: str, length: int, problems: list[str]
) -> None:
    text = "x" * length
    sent = {} if problems else {field: text}

    assert user_of(**{field: text}) == (sent, [f"{field}_{rule}" for rule in problems])


@pytest.mark.parametrize("field", ["first_name", "city", "state"])
def test_names_that_are_too_long_are_left_out_unread(field: str) -> None:
    # Normalising a million combining marks would take minutes.
    text = "a" + "\u0345\u0301\u0327\u0334" * 250_000
    fields = {field: text} if field == "first_name" else {"address": {field: text}}
    assert user_of(**fields) == ({}, [f"{field}_too_long"])


def test_a_country_that_is_too_long_is_left_out_unread() -> None:
    text = "a" + "\u0345\u0301\u0327\u0334" * 250_000
    assert user_of(address={"country": text}) == ({}, ["country_not_supported"])


def test_a_url_longer_than_an_event_of_segment_is_not_searched_for_a_click_id() -> None:
    url = "https://x.io/?ttclid=E.C.P&x="
    assert user_of(url=url.ljust(32_768, "x")) == ({"ttclid": "E.C.P"}, [])
    assert user_of(url=url.ljust(32_769, "x")) == ({}, [])


@pytest.mark.parametrize(
    ("fields", "ttclid"),
    [
        ({"url": "https://x.io/?a=1&ttclid=E.C.P"}, "E.C.P"),
        ({"url": "https://x.io/?ttclid=E%2FC&ttclid=second"}, "E/C"),
        ({"url": "https://x.io/?%74tclid=E.C.P"}, "E.C.P"),
        ({"url": "https://x.io/?q=a%26ttclid%3Dno"}, None),
        ({"url": "https://x.io/?ttclid=url", "ttclid": "older"}, "url"),
        ({"url": "https://x.io/?ttclid=url", "ttclid": " "}, "url"),
        ({"url": "https://x.io/?ttclid=", "ttclid": "property"}, "property"),
        ({"url": "https://x.io/", "ttclid": "property"}, "property"),
        ({"url": "https://x.io/?ttclid="}, None),
        ({"url": "https://x.io/#ttclid=fragment"}, None),
        ({"url": "https://x.io/?xttclid=other"}, None),
        ({"url": "https://[broken/?ttclid=x"}, "x"),
        ({"url": 5}, None),
        ({"url": ["https://x.io/?ttclid=x"]}, None),
    ],
)
def test_the_click_id_of_the_page_url_comes_before_a_mapped_one(
    fields: dict[str, Any], ttclid: str | None
) -> None:
    user, problems = user_of(**fields)

    assert (user.get("ttclid"), problems) == (ttclid, [])


@pytest.mark.parametrize("blank", BLANK, ids=repr)
@pytest.mark.parametrize(
    "field",
    [
        "email",
        "phone_number",
        "external_id",
        "first_name",
        "last_name",
        "ttclid",
        "ttp",
        "ip",
        "user_agent",
        "locale",
        "url",
        "external_ids",
    ],
)
def test_blank_values_are_absent(field: str, blank: Any) -> None:
    assert user_of(**{field: blank}) == ({}, [])


@pytest.mark.parametrize("blank", BLANK, ids=repr)
@pytest.mark.parametrize("field", ["city", "state", "zip_code", "country"])
def test_blank_values_of_the_address_are_absent(field: str, blank: Any) -> None:
    assert user_of(address={field: blank}) == ({}, [])


@pytest.mark.parametrize("name", ["'", "...", " - ", "\u2013"])
def test_a_name_of_punctuation_alone_is_absent(name: str) -> None:
    """The hash of an empty text would be the same for everybody."""
    assert user_of(first_name=name, last_name=name) == ({}, [])


def test_the_hash_of_an_empty_text_is_absent() -> None:
    """Shops that hash missing values send it."""
    blank = [f" {NOTHING} ", NOTHING.upper()]

    assert user_of(email=blank, phone_number=blank, external_id=blank, first_name=NOTHING) == (
        {},
        [],
    )


def test_a_lone_surrogate_hashes_as_javascript_encodes_it() -> None:
    assert user_of(external_id="a\ud83d") == ({"external_id": [digest("a\ufffd")]}, [])


@pytest.mark.parametrize(
    ("user", "expected"),
    [
        ({}, False),
        ({"email": ["x"]}, True),
        ({"phone": ["x"]}, True),
        ({"external_id": ["x"]}, True),
        ({"ttclid": "x"}, True),
        ({"ttp": "x"}, True),
        ({"ip": "8.8.8.8", "user_agent": "x"}, True),
        ({"ip": "8.8.8.8"}, False),
        ({"user_agent": "x"}, False),
        ({"first_name": "x", "last_name": "x", "city": "x", "locale": "x"}, False),
    ],
)
def test_an_event_needs_one_identifier_or_ip_with_user_agent(
    user: dict[str, Any],
    expected: bool,  # a table's column
) -> None:
    assert identifies(user) is expected


def test_only_emails_and_phones_of_the_external_ids_are_match_keys() -> None:
    external = [{"id": "other", "type": "external_id"}, {"id": "a@b.c", "type": "email"}]
    user, problems = user_of(external_id="user-1", external_ids=external)
    alone, _ = user_of(external_id="user-1")
    assert problems == []
    assert user["external_id"] == alone["external_id"]
    assert len(user["email"]) == 1


@pytest.mark.parametrize("octet", range(256))
def test_ipv4_addresses_are_public_exactly_when_ipaddress_says_so(octet: int) -> None:
    for rest in ("0.0.1", "16.0.1", "64.0.1", "168.0.1", "254.0.1", "51.100.1", "88.99.1"):
        address = ip_address(f"{octet}.{rest}")
        user, _ = user_of(ip=str(address))
        assert ("ip" in user) == (address.is_global and not address.is_multicast), address
