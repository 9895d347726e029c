"""Personal data: what has a valid form goes, what only looks like it stays."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interlingua.corpus.personal_data import RULES, region_of, scrub


@pytest.mark.parametrize(
    ("text", "scrubbed"),
    [
        ("mail ada.lovelace+x@maths.example.org now", "mail <EMAIL> now"),
        ("почта: иван@пример.рф.", "почта: <EMAIL>."),
        ("a@b, @mention, user@localhost", "a@b, @mention, user@localhost"),
        ("IBAN DE89 3704 0044 0532 0130 00, bitte", "IBAN <IBAN>, bitte"),
        ("GB82WEST12345698765432 ok", "<IBAN> ok"),
        ("DE89 3704 0044 0532 0130 01", "DE89 3704 0044 0532 0130 01"),
        ("card 4111 1111 1111 1111!", "card <CARD>!"),
        ("card 5500-0055-5555-5559", "card <CARD>"),
        ("card 4111 1111 1111 1112", "card 4111 1111 1111 1112"),
        ("order 1234567890123456", "order 1234567890123456"),
        ("from 8.8.8.8 to 192.168.0.1", "from <IP> to 192.168.0.1"),
        ("net 11.8.0.0/16, port 8.8.8.8:53", "net 11.8.0.0/16, port <IP>:53"),
        ("host 2001:4860:4860::8888 and std::vector", "host <IP> and std::vector"),
        ("version 1.2.3.4.5, section 999.1.1.1", "version 1.2.3.4.5, section 999.1.1.1"),
        ("at 12:30:45 on 2024-05-01", "at 12:30:45 on 2024-05-01"),
        ("call +44 20 7946 0958 or +1 650-253-0000", "call <PHONE> or <PHONE>"),
        ("+1 is a vote, 3+4 = 7, C++17", "+1 is a vote, 3+4 = 7, C++17"),
        ("", ""),
    ],
)
def test_scrubbing(text: str, scrubbed: str) -> None:
    found, counts = scrub(text)
    assert found == scrubbed
    assert sum(counts.values()) == sum(scrubbed.count(f"<{rule.upper()}>") for rule in RULES)


def test_national_numbers_are_found_in_their_region() -> None:
    text = "Telefon 030 901820, Seite 12345678"
    assert scrub(text)[0] == text
    assert scrub(text, ("DE",))[0] == "Telefon <PHONE>, Seite 12345678"
    assert scrub("650-253-0000, (650) 253-0000", ("US",))[0] == "<PHONE>, <PHONE>"
    plain = "8080/8085 assembler, 21-12-2024, 10 00 20 30, 2015.0449.12, 70 80 90 10"
    assert scrub(plain, ("DK", "NO", "ES"))[0] == plain
    assert (region_of("deu_Latn"), region_of("jpn_Jpan"), region_of("und")) == ("DE", "JP", None)
    assert region_of("zho_Hant") == "TW"


@given(st.text(alphabet="ab@.:+-0123456789 DE\n", max_size=80))
def test_scrubbing_twice_changes_nothing_more(text: str) -> None:
    once, counts = scrub(text, ("DE",))
    again, more = scrub(once, ("DE",))
    assert again == once
    assert not more
    assert set(counts) <= set(RULES)


def card(chance: random.Random) -> str:
    """A Visa number with a valid check digit."""
    digits = [4, *(chance.randrange(10) for _ in range(14))]
    total = sum(d if i % 2 else 2 * d - 9 * (d > 4) for i, d in enumerate(digits))
    return "".join(map(str, [*digits, -total % 10]))


def iban(chance: random.Random) -> str:
    """A German account number with valid check digits."""
    account = "".join(str(chance.randrange(10)) for _ in range(18))
    check = 98 - int(account + "131400") % 97
    return f"DE{check:02d}{account}"


def test_planted_data_is_found() -> None:
    chance = random.Random(0)
    for _ in range(300):
        octets = ".".join(str(chance.randrange(11, 99)) for _ in range(4))
        planted = {"card": card(chance), "iban": iban(chance), "ip": octets}
        planted |= {"email": f"u{chance.random()}@mail.example"}
        planted |= {"phone": f"+49 30 {chance.randrange(200000, 999999)}"}
        text = "Ein Satz. ".join(f"{value} " for value in planted.values())
        found, counts = scrub(text)
        assert not any(value in found for value in planted.values()), (text, found)
        assert counts == dict.fromkeys(planted, 1)


def test_ordinary_figures_are_left_alone() -> None:
    chance = random.Random(1)
    texts = [
        f"In {chance.randrange(1900, 2030)} there were {chance.randrange(10**9):,} of them, "
        f"{chance.random():.6f} each, item {chance.randrange(10**7)}, {chance.random() * 100:.2f} %"
        for _ in range(500)
    ]
    assert sum(scrub(text, ("US", "DE", "FR"))[0] != text for text in texts) <= 5
