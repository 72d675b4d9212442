"""Buy a number, route it, and list all numbers, with httpx and JSON:API by hand: program.py <base URL> <key>."""

import sys
import time

import httpx

http = httpx.Client(
    base_url=sys.argv[1],
    headers={
        "Api-Key": sys.argv[2],
        "Accept": "application/vnd.api+json",
        "Content-Type": "application/vnd.api+json",
        "X-DIDWW-API-Version": "2026-04-16",
    },
    timeout=60,
)


def call(method, path, params=None, data=None):
    response = http.request(method, path, params=params, json=None if data is None else {"data": data})
    if response.is_error:
        raise SystemExit(f"{method} {path}: {response.status_code} {response.text}")
    return response.json()


def linked(document, record, name):
    linkage = record["relationships"][name]["data"]
    if linkage is None:
        return None
    return next(item for item in document["included"] if (item["type"], item["id"]) == (linkage["type"], linkage["id"]))


country = call("GET", "/countries", {"filter[iso]": "GB"})["data"][0]
params = {
    "filter[country.id]": country["id"],
    "filter[area_name]": "London",
    "filter[needs_registration]": "false",
    "filter[is_available]": "true",
    "include": "stock_keeping_units",
}
document = call("GET", "/did_groups", params)
if not document["data"]:
    raise SystemExit("No such number is in stock.")
sku = document["data"][0]["relationships"]["stock_keeping_units"]["data"][0]
item = {"type": "did_order_items", "attributes": {"sku_id": sku["id"], "qty": 1}}
order = call("POST", "/orders", data={"type": "orders", "attributes": {"items": [item]}})["data"]
deadline = time.monotonic() + 300
while order["attributes"]["status"] == "pending":
    if time.monotonic() > deadline:
        raise SystemExit("The order is still pending.")
    time.sleep(0.5)
    order = call("GET", f"/orders/{order['id']}")["data"]
if order["attributes"]["status"] != "completed":
    raise SystemExit(f"The order is {order['attributes']['status']}.")
sip = {"type": "sip_configurations", "attributes": {"host": "sip.example.com", "codec_ids": [9]}}
attributes = {"name": "Front desk", "configuration": sip}
trunk = call("POST", "/voice_in_trunks", data={"type": "voice_in_trunks", "attributes": attributes})["data"]
did = call("GET", "/dids", {"filter[order.id]": order["id"]})["data"][0]
route = {
    "voice_in_trunk": {"data": {"type": "voice_in_trunks", "id": trunk["id"]}},
    "voice_in_trunk_group": {"data": None},
}
call("PATCH", f"/dids/{did['id']}", data={"type": "dids", "id": did["id"], "relationships": route})
number = 1
while True:
    params = {
        "include": "did_group,voice_in_trunk",
        "sort": "number",
        "page[number]": number,
        "page[size]": 100,
    }
    document = call("GET", "/dids", params)
    for did in document["data"]:
        group, trunk = linked(document, did, "did_group"), linked(document, did, "voice_in_trunk")
        name = trunk["attributes"]["name"] if trunk else "-"
        print(did["attributes"]["number"], group["attributes"]["area_name"], name)
    if "next" not in document["links"]:
        break
    number += 1
