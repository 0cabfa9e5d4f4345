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
