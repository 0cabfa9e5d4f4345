"""The same for the providers' libraries for Python."""

import json
import subprocess
import sys
import tempfile

try:
    from slack_sdk.signature import SignatureVerifier
    from standardwebhooks.webhooks import Webhook as StandardWebhook
    from svix.webhooks import Webhook as SvixWebhook
except ImportError as why:
    print(f"oracles: SKIPPED for python: its libraries cannot be loaded here: {why}")
    sys.exit(0)

CREEL = sys.argv[1]
BODY = '{"id":"evt_1","type":"fish.caught","amount":1999}'
TEXT = "00112233445566778899aabbccddeeff"
BASE64 = "whsec_YSBmYWxzZSBrZXkgZm9yIGFuIG9yYWNsZSdzIHRlc3Q="


def sign(provider, secret):
    with tempfile.NamedTemporaryFile("w") as file:
        file.write(BODY)
        file.flush()
        args = ["sign", "--provider", provider, "--secret", secret, "--file", file.name, "--id", "msg_1", "--json"]
        return dict(json.loads(subprocess.check_output([CREEL, *args]))["headers"])


def yes(judge):
    try:
        return judge() is not False
    except Exception:  # noqa: BLE001 - each library has its own
        return False


ROWS = {
    "slack": (TEXT, lambda headers, body: SignatureVerifier(TEXT).is_valid_request(body, headers)),
    "standard-webhooks": (BASE64, lambda headers, body: StandardWebhook(BASE64).verify(body, headers)),
    "svix": (BASE64, lambda headers, body: SvixWebhook(BASE64).verify(body, headers)),
}

wrong = []
for provider, (secret, judge) in ROWS.items():
    headers = sign(provider, secret)
    good, bad = yes(lambda: judge(headers, BODY)), yes(lambda: judge(headers, BODY.replace("1999", "1998")))
    if not good or bad:
        wrong.append(f"oracles: WRONG: {provider}: right {good}, changed {bad}")
print(f"oracles: {len(ROWS) - len(wrong)} official libraries for Python take what creel signs, and refuse it changed")
if wrong:
    sys.exit("\n".join(wrong))
