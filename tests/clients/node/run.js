// Drives the emulator with the official Node client. Fails where an answer is not what it expects.
//
//   node run.js URL SEGMENT

const assert = require("node:assert");
const { IdentifierType, TrackClient } = require("customerio-node");

const [root, segment] = process.argv.slice(2);
const client = new TrackClient("emulator-site-id", "emulator-api-key", { url: `${root}/api/v1` });

async function refused(promise, status) {
  await assert.rejects(promise, (error) => error.statusCode === status, `expected ${status}`);
}

async function main() {
  const region = await client.getAccountRegion();
  assert.equal(typeof region.environment_id, "number");
  assert.match(region.region, /^(us|eu)$/);

  assert.deepEqual(await client.identify("1", { email: "ann@example.com", plan: "gold" }), {});
  assert.deepEqual(await client.identify("a/b c", { plan: "tin" }), {});
  await client.identify("gone", {});
  await client.destroy("gone");
  await client.identify("blocked", {});
  await client.suppress("blocked");
  await client.identify("blocked", { plan: "ignored" });
  await client.identify("freed", {});
  await client.suppress("freed");
  await client.unsuppress("freed");
  await client.identify("freed", { plan: "back" });

  await client.track("1", { name: "order placed", data: { total: 12.5 } });
  const once = { name: "order paid", id: "01BX5ZZKBKACTAV9WEVGEMMVRY", data: {} };
  await client.track("1", once);
  await client.track("1", once);
  await client.trackPageView("1", "/pricing");
  await client.trackAnonymous("visitor", { name: "looked around" });

  await client.addDevice("1", "token-1", "ios", { last_used: 1713484800, app: "2" });
  await client.addDevice("1", "token-2", "android");
  await client.deleteDevice("1", "token-2");

  await client.addCustomersToSegment(segment, ["1", "freed", "nobody"], IdentifierType.Id);
  await client.removeCustomersFromSegment(segment, ["freed"], IdentifierType.Id);

  await client.identify("older", { plan: "old" });
  await client.identify("newer", { seats: 3 });
  await client.mergeCustomers(IdentifierType.Id, "older", IdentifierType.Id, "newer");

  const person = (id, action, more) => ({ type: "person", action, identifiers: { id }, ...more });
  assert.deepEqual(
    await client.batch([
      person("2", "identify", { attributes: { plan: "iron" } }),
      person("2", "event", { name: "batched", attributes: { n: 1 } }),
      person("nobody-2", "identify", { attributes: { _update: true, plan: "never" } }),
    ]),
    {},
  );
  const partly = await client.batch([
    person("3", "identify", { attributes: { plan: "good" } }),
    person("4", "identify", { attributes: { long: "x".repeat(1001) } }),
  ]);
  assert.equal(partly.errors.length, 1);
  assert.equal(partly.errors[0].batch_index, 1);

  const account = { object_type_id: "1", object_id: "acme" };
  const owner = [{ identifiers: { id: "1" } }];
  await client.entity({
    type: "object", action: "identify", identifiers: account, attributes: { name: "Acme" }, cio_relationships: owner,
  });
  await refused(client.entity({ type: "object", action: "sing", identifiers: account }), 400);
  await refused(client.entity(person("9", "identify", { attributes: { long: "x".repeat(1001) } })), 400);
  const stranger = new TrackClient("emulator-site-id", "wrong", { url: `${root}/api/v1` });
  await refused(stranger.identify("1", {}), 401);
}

main().then(
  () => console.log("the node client is content"),
  (error) => {
    console.error(error);
    process.exit(1);
  },
);
