"""Drives the emulator with the official Python client. Fails where an answer is not expected.

    python run.py URL
"""

import sys
from datetime import datetime, timezone
from urllib.parse import urlsplit

from customerio import CustomerIO, CustomerIOException
from customerio.constants import ID

url = urlsplit(sys.argv[1])


class Plain(CustomerIO):
    """The official client, which knows https only, on plain http."""

    def send_request(self, method, url, data):
        return super().send_request(method, url.replace("https://", "http://", 1), data)


def client_of(key):
    return Plain("emulator-site-id", key, host=url.hostname, port=url.port, retries=0)


def refused(status, call, *arguments, **named):
    try:
        call(*arguments, **named)
    except CustomerIOException as error:
        assert str(error).startswith(f"{status}:"), error
        return
    raise AssertionError(f"{call.__name__} was expected to be refused with {status}")


client = client_of("emulator-api-key")
client.identify(id="1", email="ann@example.com", plan="gold",
                joined=datetime(2024, 5, 1, tzinfo=timezone.utc), score=float("nan"))
client.identify(id="a/b c", plan="tin")
client.identify(id="gone")
client.delete("gone")
client.identify(id="blocked")
client.suppress("blocked")
client.identify(id="blocked", plan="ignored")
client.identify(id="freed")
client.suppress("freed")
client.unsuppress("freed")
client.identify(id="freed", plan="back")

client.track("1", "order placed", {"total": 12.5})
for _ in range(2):
    client.track("1", "order paid", {}, id="01BX5ZZKBKACTAV9WEVGEMMVRY")
client.pageview("1", "/pricing", referrer="mail")
client.backfill("1", "signed up", 1713484800)
client.track_anonymous("visitor", "looked around")

client.add_device("1", "token-1", "ios", last_used=1713484800, app="2")
client.add_device("1", "token-2", "android")
client.delete_device("1", "token-2")

client.identify(id="older", plan="old")
client.identify(id="newer", seats=3)
client.merge_customers(ID, "older", ID, "newer")


def person(who, action, **more):
    return {"type": "person", "action": action, "identifiers": {"id": who}, **more}


client.batch([
    person("2", "identify", attributes={"plan": "iron"}),
    person("2", "event", name="batched", attributes={"n": 1}),
    {"type": "object", "action": "identify", "attributes": {"name": "Acme"},
     "identifiers": {"object_type_id": "1", "object_id": "acme"},
     "cio_relationships": [{"identifiers": {"id": "1"}}]},
])
refused(400, client.identify, id="9", long="x" * 1001)
refused(401, client_of("wrong").identify, id="1")
print("the python client is content")
