const assert = require("node:assert");
const http = require("node:http");
const test = require("node:test");

const APP = process.env.APP ?? "127.0.0.1:3000";

function send(method, path, headers, body) {
  const { hostname, port } = new URL(`http://${APP}`);
  return new Promise((resolve, reject) => {
    const options = { hostname, port, method, path, headers, setHost: false, agent: false };
    const request = http.request(options, (reply) => {
      reply.resume().on("end", () => resolve(reply));
    });
    request.on("error", reject).end(body);
  });
}

test("capture 42", async () => {
  // caught 2026-11-23T09:05:00.123Z, 34 bytes
  const headers = [
    "Host", APP,
    "Stripe-Signature", "t=1,v1=5257",
    "x-dup", "1",
    "X-Dup", "caf\xe9",
    "X-Empty", "",
    "Content-Type", "application/json",
    "Content-Length", "34",
    "Connection", "close",
  ];
  const reply = await send("POST", "/stripe?x=1&y='a'", headers, Buffer.from("{\"id\": \"evt_1\", \"name\": \"O'Neil\"}\n"));
  assert.ok(reply.statusCode >= 200 && reply.statusCode < 300, `${reply.statusCode}`);
});
