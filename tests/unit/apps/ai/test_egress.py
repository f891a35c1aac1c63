"""The country is read from the page of the API's own host, unless a setting names another."""

import pytest

from apps.ai.provider.egress import country_of, trace_url


@pytest.mark.parametrize(
    ("page", "country"),
    [("fl=1\nloc=nl\nip=::1", "NL"), ("loc=", None), ("<html>loc=NL</html>", None), ("", None)],
)
def test_the_country_in_a_page(page, country):
    assert country_of(page) == country


def test_the_page_is_the_api_hosts_own_unless_a_setting_names_another():
    assert trace_url("", "") == "https://api.openai.com/cdn-cgi/trace"
    assert trace_url("http://h:1/v1", "") == "http://h:1/cdn-cgi/trace"
    assert trace_url("http://h:1/v1", "http://t/x") == "http://t/x"
