"""Identifies some people with the official client, one call each, and prints the seconds taken."""

import sys
import time
from urllib.parse import urlsplit

from customerio import CustomerIO

url, calls = urlsplit(sys.argv[1]), int(sys.argv[2])
client = CustomerIO("emulator-site-id", "emulator-api-key", host=url.hostname, port=url.port)
client.base_url = f"{url.scheme}://{url.netloc}/api/v1"
attributes = {f"column_{i}": f"value of {i}" for i in range(17)}

client.identify(id="warm-up", **attributes)
started = time.perf_counter()
for n in range(calls):
    client.identify(id=str(n), **attributes)
print(time.perf_counter() - started)
