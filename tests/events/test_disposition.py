import re

from mlvitals.events import Disposition


def test_the_documented_precedence_is_the_order_of_the_members():
    documented = re.findall(r"^ {4}(\w+): ", Disposition.__doc__ or "", re.MULTILINE)
    assert documented == [one.value for one in Disposition]


def test_every_member_is_spelled_as_its_value():
    assert all(one.name.lower() == one.value == str(one) for one in Disposition)
