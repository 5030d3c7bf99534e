// A real Chromium against a running archive: sign in, find, play, prove, mark, in three languages, two widths, with
// axe and by keyboard alone. GREFFE_URL, GREFFE_USER, GREFFE_PASSWORD; GREFFE_QUERY finds the long demo hearing.
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";

const require = createRequire(join(process.env.GREFFE_UI, "package.json"));
const { chromium } = require("playwright-core");
const axeSource = readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");
const url = process.env.GREFFE_URL.replace(/\/$/, "");
const query = process.env.GREFFE_QUERY ?? "";
const profile = mkdtempSync(join(tmpdir(), "greffe-browser-"));
const flags = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
  "--disable-component-update", "--disable-sync", "--ignore-certificate-errors"];

let failures = 0;
let browser;
async function test(name, body) {
  try {
    await body();
    console.log(`ok   ${name}`);
  } catch (error) {
    failures++;
    console.log(`FAIL ${name}\n     ${error.message}`);
  }
}

async function open(language, width, height, colorScheme = "light") {
  await browser?.close();
  browser = await chromium.launchPersistentContext(join(profile, `${language}-${width}-${colorScheme}`), {
    executablePath: "/usr/bin/chromium", args: flags, viewport: { width, height }, ignoreHTTPSErrors: true, colorScheme,
  });
  await browser.addInitScript((l) => localStorage.setItem("greffe.language", l), language);
  const page = browser.pages()[0] ?? (await browser.newPage());
  page.faults = [];
  page.on("pageerror", (error) => page.faults.push(error.message));
  page.on("console", (m) => /Content Security Policy|Refused to/.test(m.text()) && page.faults.push(m.text()));
  await page.goto(`${url}/`);
  await page.waitForSelector("#account");
  return page;
}

async function signIn(page) {
  await page.fill("#account", process.env.GREFFE_USER);
  await page.fill("#password", process.env.GREFFE_PASSWORD);
  await page.keyboard.press("Enter");
  await page.waitForSelector("#main");
  await page.waitForSelector(".top");
}

async function axe(page, where) {
  await page.evaluate(axeSource);
  const found = await page.evaluate(() => window.axe.run(document, { runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"] }));
  const bad = found.violations.map((v) => `${where}: ${v.id} (${v.impact}) ${v.nodes.slice(0, 3).map((n) => n.html.slice(0, 120)).join(" | ")}`);
  assert.ok(bad.length === 0, bad.join("; "));
}

async function noOverflow(page, where) {
  const over = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  assert.ok(over <= 0, `${where}: the page is ${over} px wider than the screen`);
}

// The hearing with the most streams among those found: the demo's long one.
async function findHearing(page) {
  await page.fill("input[type=search]", query);
  if (!query) await page.goto(`${url}/?state=closed`);
  await page.waitForSelector("a.row");
  const best = await page.evaluate(async (q) => {
    const answer = await (await fetch(`/v1/hearings?limit=200&q=${encodeURIComponent(q)}`)).json();
    return answer.hearings.sort((a, b) => b.streams.length - a.streams.length || b.duration_ms - a.duration_ms)[0].id;
  }, query);
  return best;
}

const wallOf = (page) => page.evaluate(() => Number(document.querySelector(".wall").dataset.wall));
const badge = (page) => page.getAttribute("button.badge", "data-badge");
const until = async (what, ask, ms = 20_000) => {
  const end = Date.now() + ms;
  for (;;) {
    if (await ask()) return;
    if (Date.now() > end) throw new Error(`waited ${ms} ms in vain: ${what}`);
    await new Promise((r) => setTimeout(r, 100));
  }
};

// A fresh page each time: nothing is left of what was checked before. Requests of the page that is left may fail.
async function visit(page) {
  await page.goto("about:blank");
  await page.goto(`${url}/?hearing=${hearing}`);
  await page.waitForSelector(".play");
}

async function alter(route, change) {
  try {
    const answer = await route.fetch();
    await route.fulfill({ response: answer, body: change(await answer.body()) });
  } catch {
    await route.abort().catch(() => undefined);
  }
}

let hearing;
await test("sign in, search, play with a green badge", async () => {
  const page = await open("en", 1440, 900);
  await axe(page, "sign in");
  await signIn(page);
  hearing = await findHearing(page);
  await axe(page, "find");
  await page.goto(`${url}/?hearing=${hearing}`);
  await page.waitForSelector(".play");
  await axe(page, "hearing");
  await page.click(".play");
  await until("a green badge", async () => (await badge(page)) === "good");
  const before = await wallOf(page);
  await until("the clock advances", async () => (await wallOf(page)) > before + 2000);
  await page.waitForTimeout(3000);
  const drift = await page.evaluate(() => [...document.querySelectorAll("video,audio")].filter((e) => !e.paused).map((e) => Math.abs(Number(e.dataset.errorMs))));
  assert.ok(drift.length > 0 && Math.max(...drift) < 250, `drift in ms: ${drift}`);
  assert.deepEqual(page.faults, []);
});

await test("speed keeps pitch, mute silences one microphone, marks jump", async () => {
  const page = browser.pages()[0];
  await page.keyboard.press(".");
  const rates = await page.evaluate(() => [...document.querySelectorAll("video,audio")].filter((e) => !e.paused).map((e) => [e.playbackRate, e.preservesPitch]));
  assert.ok(rates.every(([rate, pitch]) => Math.abs(rate - 1.1) < 0.1 && pitch), JSON.stringify(rates));
  await page.keyboard.press("0");
  const mute = page.locator(".lane-name.sound button").first();
  await mute.click();
  assert.equal(await mute.getAttribute("aria-pressed"), "true");
  const lines = page.locator(".marks .line");
  if ((await lines.count()) > 0) {
    await lines.last().click();
    const shown = await lines.last().locator(".num").first().textContent();
    await until("the mark's moment", async () => (await page.textContent(".wall-time"))?.slice(0, 7) === shown.slice(0, 7));
  }
});

await test("a flipped byte turns the badge red, names the place, and playing goes on", async () => {
  const page = browser.pages()[0];
  let flipped = 0;
  await page.goto("about:blank");
  await page.route("**/objects/*.mp4", (route) => alter(route, (body) => {
    if (flipped++ === 0) body[Math.floor(body.length / 2)] ^= 1;
    return body;
  }));
  await visit(page);
  await until("red", async () => (await badge(page)) === "bad");
  assert.match(await page.textContent("button.badge"), /\d\d:\d\d:\d\d/);
  await page.click(".play");
  const before = await wallOf(page);
  await until("the clock goes on", async () => (await wallOf(page)) > before + 1500);
  await page.unrouteAll({ behavior: "ignoreErrors" });
});

await test("an entry, a root and a tail that were edited turn the badge red", async () => {
  const page = browser.pages()[0];
  const spoil = async (pattern, change) => {
    await page.route(pattern, (route) => alter(route, change));
    await visit(page);
    await until(`red for ${pattern}`, async () => (await badge(page)) === "bad");
    await page.unrouteAll({ behavior: "ignoreErrors" });
  };
  await spoil("**/tile/entries/**", (body) => {
    const at = body.indexOf('"kind":"segment"');
    body[body.indexOf('"mono_ms":', at) + 10] ^= 1;
    return body;
  });
  await spoil("**/proof", (body) => Buffer.from(body.toString().replace(/"hearing_checkpoint": ?"([^"\\]*\\n)(\d+)/, (_, a, n) => `"hearing_checkpoint":"${a}${Number(n) - 1}`)));
  await spoil("**/timeline", (body) => {
    const timeline = JSON.parse(body.toString());
    timeline.streams[0].segments.splice(1, 1);
    return Buffer.from(JSON.stringify(timeline));
  });
});

for (const [language, word] of [["zh", "核验"], ["fr", "Intègre"], ["en", "Unaltered"]]) {
  for (const [width, height, scheme] of [[1440, 900, "light"], [390, 844, "dark"], [360, 740, "light"]]) {
    await test(`${language} at ${width} px, ${scheme}: axe, width, words`, async () => {
      const page = await open(language, width, height, scheme);
      await signIn(page);
      assert.ok((await page.getAttribute("html", "lang")).startsWith(language));
      await page.goto(`${url}/?q=${encodeURIComponent(query)}&gaps=`);
      await page.waitForSelector("a.row");
      await axe(page, "find");
      await noOverflow(page, "find");
      await page.goto(`${url}/?hearing=${hearing}`);
      await page.waitForSelector(".play");
      await page.click(".play");
      await until("green", async () => (await badge(page)) === "good");
      assert.ok((await page.textContent("button.badge")).includes(word));
      await page.keyboard.press("k");
      await axe(page, "hearing");
      await noOverflow(page, "hearing");
      await page.click("button.badge");
      await axe(page, "proof");
      await page.keyboard.press("Escape");
      for (const name of ["status", "audit"]) {
        await page.goto(`${url}/?page=${name}`);
        await page.waitForSelector(".panel");
        await axe(page, name);
        await noOverflow(page, name);
      }
      assert.deepEqual(page.faults, []);
    });
  }
}

await test("keyboard only: sign in, find, play, mark", async () => {
  const page = await open("en", 1280, 800, "dark");
  await page.keyboard.type(process.env.GREFFE_USER);
  await page.keyboard.press("Tab");
  await page.keyboard.type(process.env.GREFFE_PASSWORD);
  await page.keyboard.press("Enter");
  await page.waitForSelector("input[type=search]:focus");
  await page.goto(`${url}/?q=${encodeURIComponent(query)}&state=closed`);
  await page.waitForSelector("a.row");
  await page.keyboard.press("ArrowDown");
  assert.ok(await page.evaluate(() => document.activeElement.classList.contains("row")));
  await page.keyboard.press("Enter");
  await page.waitForSelector(".play");
  await page.keyboard.press("k");
  const before = await wallOf(page);
  await until("playing", async () => (await wallOf(page)) > before + 500);
  await page.keyboard.press("l");
  await until("forward", async () => (await wallOf(page)) > before + 5000);
  await page.keyboard.press("k");
  const words = `keyboard mark ${Date.now()}`;
  await page.keyboard.press("m");
  await page.waitForSelector("#mark-text:focus");
  await page.keyboard.type(words);
  await page.keyboard.press("Enter");
  await until("the mark", async () => (await page.textContent(".marks")).includes(words));
});

await browser.close();
rmSync(profile, { recursive: true, force: true });
console.log(failures === 0 ? "all browser tests passed" : `${failures} browser tests failed`);
process.exit(failures === 0 ? 0 : 1);
