"""The checks of the settings of each provider."""

import pytest

from regserver.config import ConfigFault, load

TWILIO = ["sms.kind=twilio", "sms.twilio.account_sid=AC1", "sms.twilio.auth_token=t0ken"]
VONAGE = ["sms.kind=vonage", "sms.vonage.api_key=k", "sms.vonage.api_secret=s3cret"]
CHAIN = ["ledger.kind=antelope", "ledger.antelope.url=http://node", "ledger.antelope.creator=creator"]


@pytest.mark.parametrize(
    ("overrides", "complaint"),
    [
        (["sms.kind=http"], "sms.http.url: expected a value"),
        (["sms.kind=http", "sms.http.url=host/path"], "sms.http.url"),
        (["sms.kind=twilio"], "sms.twilio.account_sid"),
        (TWILIO, "sms.twilio.from"),
        (VONAGE, "sms.vonage.from"),
        (["sms.weights={ vonage = 1 }"], "sms.vonage.api_key"),
        (["sms.weights={ log = 0 }"], "sms.weights"),
        (["sms.weights={ log = -1 }"], "sms.weights"),
        (["sms.weights={ pigeon = 1 }"], "sms.weights"),
        ([*VONAGE, "sms.vonage.from=me"], "sms.countries: expected the countries that get messages"),
        ([*VONAGE, "sms.vonage.from=me", "sms.countries=UA,Ukraine"], 'not "Ukraine"'),
        (["sms.countries=ua"], 'sms.countries: expected two-letter codes such as "UA", or "*", not "ua"'),
        (["sms.daily_max=0"], "sms.daily_max"),
        (
            ['sms.test={ "+12" = "424242" }'],
            'sms.test: expected phone numbers such as "+15550001111", not "+12"',
        ),
        (['sms.test={ "+15550001111" = "x" }'], "sms.test.+15550001111: expected a code"),
        (['sms.test={ "+15550001111" = "4242" }'], "sms.test: expected codes of steps.code_digits digits, 6"),
        (["sms.text=your code"], "sms.text: expected a text with {code} in it"),
        (["site.name=" + 61 * "x"], "site.name: expected at most 60 characters"),
        (["site.logo=logo.gif"], "site.logo: expected a file of .svg, .png, .webp"),
        (["site.color=teal"], 'site.color: expected a colour such as "#0f6b66"'),
        (["site.color=#ffcc00"], "has a contrast of 1.4, text needs 4.5; the nearest is #"),
        (["site.imprint=javascript:alert(1)"], "site.imprint: expected an address such as"),
        (["site.privacy=example.org/privacy"], "site.privacy: expected an address such as"),
        (["webhook.before_sign_up.url=http://example.org"], "webhook.before_sign_up.url: expected https"),
        (["webhook.before_sign_up.url=https://10.0.0.1"], "10.0.0.1 is no public address"),
        (["webhook.before_sign_up.url=https://example.org"], "webhook.before_sign_up.secret: expected"),
        (["webhook.before_sign_up.fail=perhaps"], "webhook.before_sign_up.fail"),
        (["webhook.before_sign_up.timeout=6s"], "webhook.before_sign_up.timeout"),
        (["captcha.kind=turnstile"], "captcha.secret_web"),
        (["steps.code_ttl=0s"], "steps.code_ttl"),
        (["steps.daily_codes_per_contact=0"], "steps.daily_codes_per_contact"),
        (CHAIN, "ledger.antelope.private_key"),
    ],
)
def test_what_cannot_work_is_named(overrides: list[str], complaint: str) -> None:
    with pytest.raises(ConfigFault) as caught:
        load(None, overrides, {})
    assert complaint in str(caught.value)
    assert "s3cret" not in str(caught.value)


@pytest.mark.parametrize(
    "overrides",
    [
        [],
        ["sms.kind=http", "sms.http.url=https://sms.example/send", "sms.countries=*"],
        [*TWILIO, "sms.twilio.messaging_service_sid=MG1", "sms.countries=UA"],
        [*VONAGE, "sms.vonage.from=me", 'sms.countries=["UA", "DE", "001"]'],
        ['sms.test={ "+1 555 000 1111" = "424242" }'],
        ["sms.weights={ log = 1, twilio = 0 }"],
        ["captcha.kind=recaptcha", "captcha.secret_ios=s3cret"],
        [*CHAIN, "ledger.antelope.private_key=5K"],
    ],
)
def test_what_can_work(overrides: list[str]) -> None:
    assert load(None, overrides, {}).settings.steps.code_digits == 6
