// Each row: a provider, its official library, and how that judges a request. creel signs; a changed body must fail.
import { execFileSync } from "node:child_process";
import { createSecretKey } from "node:crypto";
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const creel = process.argv[2];
const folder = mkdtempSync(join(tmpdir(), "oracles-"));
const URL = "https://shop.example/hook?x=1";
const JSON_BODY = '{"id":"evt_1","type":"fish.caught","amount":1999,"name":"é"}';
const TEXT = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";
const BASE64 = "whsec_" + Buffer.from("a false key for an oracle's test").toString("base64");

function sign(provider, { secret = TEXT, body = JSON_BODY, type = "application/json" } = {}) {
    const file = join(folder, "body");
    writeFileSync(file, body);
    const args = ["sign", "--provider", provider, "--secret", secret, "--file", file, "--url", URL, "--id", "msg_1"];
    const out = execFileSync(creel, [...args, "--header", `Content-Type: ${type}`, "--json"], { encoding: "utf8" });
    const { headers, body: signed } = JSON.parse(out);
    return { headers: Object.fromEntries(headers.map(([n, v]) => [n.toLowerCase(), v])), body: signed ?? body, secret };
}

/** Whether a judgement that may throw is yes. */
async function yes(judge) {
    try {
        return (await judge()) !== false;
    } catch {
        return false;
    }
}

const rows = {
    github: async () => {
        const { verify } = await import("@octokit/webhooks-methods");
        return ["github", ({ headers, body, secret }) => verify(secret, body, headers["x-hub-signature-256"])];
    },
    stripe: async () => {
        const { default: Stripe } = await import("stripe");
        const stripe = new Stripe("sk_test_oracle");
        return ["stripe", ({ headers, body, secret }) => stripe.webhooks.constructEvent(body, headers["stripe-signature"], secret)];
    },
    "standard-webhooks": async () => {
        const { Webhook } = await import("standardwebhooks");
        return ["standard-webhooks", ({ headers, body, secret }) => new Webhook(secret).verify(body, headers), { secret: BASE64 }];
    },
    svix: async () => {
        const { Webhook } = await import("svix");
        return ["svix", ({ headers, body, secret }) => new Webhook(secret).verify(body, headers), { secret: BASE64 }];
    },
    "twilio, a form": async () => {
        const { default: twilio } = await import("twilio");
        const judge = ({ headers, body, secret }) =>
            twilio.validateRequest(secret, headers["x-twilio-signature"], URL, Object.fromEntries(new URLSearchParams(body)));
        return ["twilio", judge, { body: "To=%2B18005551212&Body=two+fish", type: "application/x-www-form-urlencoded" }];
    },
    hubspot: async () => {
        const { Signature } = await import("@hubspot/api-client");
        const judge = ({ headers, body, secret }) =>
            Signature.isValid({
                signatureVersion: "v3", signature: headers["x-hubspot-signature-v3"], method: "POST", clientSecret: secret,
                requestBody: body, url: URL, timestamp: Number(headers["x-hubspot-request-timestamp"]),
            });
        return ["hubspot-v3", judge];
    },
    square: async () => {
        const { WebhooksHelper } = await import("square");
        const judge = ({ headers, body, secret }) =>
            WebhooksHelper.verifySignature({
                requestBody: body, signatureHeader: headers["x-square-hmacsha256-signature"], signatureKey: secret, notificationUrl: URL,
            });
        return ["square", judge];
    },
    razorpay: async () => {
        const { default: Razorpay } = await import("razorpay");
        const judge = ({ headers, body, secret }) => Razorpay.validateWebhookSignature(body, headers["x-razorpay-signature"], secret);
        return ["razorpay", judge];
    },
    paddle: async () => {
        const { Paddle } = await import("@paddle/paddle-node-sdk");
        const paddle = new Paddle("oracle");
        return ["paddle", ({ headers, body, secret }) => paddle.webhooks.isSignatureValid(body, secret, headers["paddle-signature"])];
    },
    sanity: async () => {
        const { isValidSignature } = await import("@sanity/webhook");
        return ["sanity", ({ headers, body, secret }) => isValidSignature(body, headers["sanity-webhook-signature"], secret)];
    },
    line: async () => {
        const { validateSignature } = await import("@line/bot-sdk");
        return ["line", ({ headers, body, secret }) => validateSignature(body, secret, headers["x-line-signature"])];
    },
    pusher: async () => {
        const { default: Pusher } = await import("pusher");
        const judge = ({ headers, body, secret }) => {
            const pusher = new Pusher({ appId: "1", key: "key", secret, cluster: "eu" });
            const all = { "x-pusher-key": "key", "content-type": "application/json", ...headers };
            return pusher.webhook({ rawBody: body, headers: all }).isValid();
        };
        return ["pusher", judge];
    },
    "adyen, payments": async () => {
        const { hmacValidator: Validator } = await import("@adyen/api-library");
        const body = JSON.stringify({
            notificationItems: [{ NotificationRequestItem: {
                pspReference: "7914073381342284", merchantAccountCode: "Example", merchantReference: "order-7",
                amount: { currency: "EUR", value: 1130 }, eventCode: "AUTHORISATION", success: "true",
                additionalData: { hmacSignature: "" },
            } }],
        });
        const judge = ({ body, secret }) =>
            new Validator().validateHMAC(JSON.parse(body).notificationItems[0].NotificationRequestItem, secret);
        return ["adyen-standard", judge, { body }, (body) => body.replace("1130", "1131")];
    },
    "adyen, platforms": async () => {
        const { hmacValidator: Validator } = await import("@adyen/api-library");
        return ["adyen-banking", ({ headers, body, secret }) => new Validator().validateHMACSignature(secret, headers.hmacsignature, body)];
    },
    notion: async () => {
        const { verifyWebhookSignature } = await import("@notionhq/client");
        const judge = ({ headers, body, secret }) =>
            verifyWebhookSignature({ body, signature: headers["x-notion-signature"], verificationToken: secret });
        return ["notion", judge];
    },
    cloudinary: async () => {
        const { v2: cloudinary } = await import("cloudinary");
        const judge = ({ headers, body, secret }) => {
            cloudinary.config({ api_secret: secret, cloud_name: "oracle", api_key: "1" });
            return cloudinary.utils.verifyNotificationSignature(body, Number(headers["x-cld-timestamp"]), headers["x-cld-signature"]);
        };
        return ["cloudinary", judge];
    },
    workos: async () => {
        const { WorkOS } = await import("@workos-inc/node");
        const body = '{"id":"event_1","event":"user.created","data":{"object":"user","id":"user_1"},"created_at":"2025-01-01T00:00:00Z"}';
        const judge = ({ headers, body, secret }) =>
            new WorkOS("sk_oracle").webhooks.constructEvent({ payload: JSON.parse(body), sigHeader: headers["workos-signature"], secret });
        return ["workos", judge, { body }, (body) => body.replace("user_1", "user_2")];
    },
    mux: async () => {
        const { default: Mux } = await import("@mux/mux-node");
        const judge = ({ headers, body, secret }) =>
            new Mux({ tokenId: "a", tokenSecret: "b", webhookSecret: secret }).webhooks.verifySignature(body, headers).then(() => true);
        return ["mux", judge];
    },
    openai: async () => {
        const { default: OpenAI } = await import("openai");
        const judge = ({ headers, body, secret }) =>
            new OpenAI({ apiKey: "oracle" }).webhooks.verifySignature(body, headers, secret).then(() => true);
        return ["openai", judge, { secret: BASE64 }];
    },
    linear: async () => {
        const { LinearWebhookClient } = await import("@linear/sdk/webhooks");
        const body = JSON.stringify({ action: "create", type: "Issue", webhookTimestamp: Date.now() });
        const judge = ({ headers, body, secret }) =>
            new LinearWebhookClient(secret).verify(Buffer.from(body), headers["linear-signature"], JSON.parse(body).webhookTimestamp);
        return ["linear", judge, { body }, (body) => body.replace("create", "remove")];
    },
    retell: async () => {
        const { default: Retell } = await import("retell-sdk");
        return ["retell", ({ headers, body, secret }) => Retell.verify(body, secret, headers["x-retell-signature"])];
    },
    livekit: async () => {
        const { WebhookReceiver } = await import("livekit-server-sdk");
        const judge = async ({ headers, body, secret }) => {
            const { iss } = JSON.parse(Buffer.from(headers.authorization.split(".")[1], "base64url"));
            await new WebhookReceiver(iss, secret).receive(body, headers.authorization);
        };
        const body = '{"event":"room_started","id":"EV_1","createdAt":"1763978700"}';
        return ["livekit", judge, { body, type: "application/webhook+json" }];
    },
    replicate: async () => {
        const { validateWebhook } = await import("replicate");
        const judge = ({ headers, body, secret }) =>
            validateWebhook({
                id: headers["webhook-id"], timestamp: headers["webhook-timestamp"], signature: headers["webhook-signature"], body, secret,
            });
        return ["replicate", judge, { secret: BASE64 }];
    },
    resend: async () => {
        const { Resend } = await import("resend");
        const judge = ({ headers, body, secret }) => {
            const [id, timestamp, signature] = ["svix-id", "svix-timestamp", "svix-signature"].map((name) => headers[name]);
            return new Resend("re_oracle").webhooks.verify({ payload: body, headers: { id, timestamp, signature }, webhookSecret: secret });
        };
        return ["resend", judge, { secret: BASE64 }];
    },
    anthropic: async () => {
        const { default: Anthropic } = await import("@anthropic-ai/sdk");
        const judge = ({ headers, body, secret }) => new Anthropic({ apiKey: "oracle" }).beta.webhooks.unwrap(body, { headers, key: secret });
        return ["anthropic", judge, { secret: BASE64 }];
    },
    lithic: async () => {
        const { default: Lithic } = await import("lithic");
        const judge = ({ headers, body, secret }) => new Lithic({ apiKey: "oracle" }).webhooks.verifySignature(body, headers, secret);
        return ["lithic", judge, { secret: BASE64 }];
    },
    "modern-treasury": async () => {
        const { default: ModernTreasury } = await import("modern-treasury");
        const judge = ({ headers, body, secret }) =>
            new ModernTreasury({ apiKey: "a", organizationID: "b" }).webhooks.validateSignature(body, headers, { key: secret });
        return ["modern-treasury", judge];
    },
    "supabase, an auth hook": async () => {
        const { Webhook } = await import("standardwebhooks");
        const judge = ({ headers, body, secret }) => new Webhook(secret.replace("v1,whsec_", "")).verify(body, headers);
        return ["supabase", judge, { secret: `v1,${BASE64}` }];
    },
    easypost: async () => {
        const { default: EasyPost } = await import("@easypost/api");
        const judge = ({ headers, body, secret }) =>
            new EasyPost("oracle").Utils.validateWebhook(Buffer.from(body), { "X-Hmac-Signature": headers["x-hmac-signature"] }, secret);
        return ["easypost", judge];
    },
    gocardless: async () => {
        const { parse } = await import("gocardless-nodejs/webhooks");
        const body = '{"events":[{"id":"EV1","resource_type":"payments"}],"meta":{"webhook_id":"WB1"}}';
        return ["gocardless", ({ headers, body, secret }) => parse(body, secret, headers["webhook-signature"]), { body }];
    },
    onfido: async () => {
        const { WebhookEventVerifier } = await import("@onfido/api");
        return ["onfido", ({ headers, body, secret }) => new WebhookEventVerifier(secret).readPayload(body, headers["x-sha2-signature"])];
    },
    "coinbase-commerce": async () => {
        const { default: coinbase } = await import("coinbase-commerce-node");
        const judge = ({ headers, body, secret }) => coinbase.Webhook.verifySigHeader(body, headers["x-cc-webhook-signature"], secret);
        return ["coinbase-commerce", judge];
    },
    box: async () => {
        const { WebhooksManager } = await import("box-node-sdk/lib/managers/webhooks");
        const also = { "box-signature-version": "1", "box-signature-algorithm": "HmacSHA256" };
        return ["box", ({ headers, body, secret }) => WebhooksManager.validateMessage(body, { ...headers, ...also }, secret, { maxAge: 600 })];
    },
    messagebird: async () => {
        const { default: library } = await import("messagebird/lib/webhook-signature-jwt.js");
        const judge = ({ headers, body, secret }) =>
            library.verify(URL, Buffer.from(body), headers["messagebird-signature-jwt"], createSecretKey(Buffer.from(secret)));
        return ["messagebird", judge];
    },
};

let right = 0;
const wrong = [];
for (const [name, row] of Object.entries(rows)) {
    let found;
    try {
        found = await row();
    } catch (why) {
        console.log(`oracles: SKIPPED ${name}: its library cannot be loaded here: ${why.message.split("\n")[0]}`);
        continue;
    }
    const [provider, judge, options, change = (body) => body.replace(/\d(?=\D*$)|[a-z](?=[^a-z]*$)/, "0")] = found;
    const request = sign(provider, options);
    const forged = { ...request, body: change(request.body) };
    const good = await yes(() => judge(request));
    const bad = forged.body === request.body || (await yes(() => judge(forged)));
    if (good && !bad) right += 1;
    else wrong.push(`${name}: right ${good ? "passed" : "FAILED"}, changed ${bad ? "PASSED" : "failed"}`);
}
console.log(`oracles: ${right} official libraries for node take what creel signs, and refuse it changed`);
if (wrong.length > 0) {
    console.log(wrong.map((line) => `oracles: WRONG: ${line}`).join("\n"));
    process.exit(1);
}
