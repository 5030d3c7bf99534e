// What the browser tests share: the demo's site and people, a Chromium with fresh profiles, and checks of a page.
//
// GREFFE_UI: the folder web/ui; GREFFE_DEMO: a finished demo of packaging/quickstart; GREFFE_PROGRAMS: the build folder.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const require = createRequire(join(process.env.GREFFE_UI, "package.json"));
const { chromium } = require("playwright-core");
const axeSource = readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");
const here = dirname(fileURLToPath(import.meta.url));
const flags = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
  "--disable-component-update", "--disable-sync", "--autoplay-policy=no-user-gesture-required"];

export const demo = process.env.GREFFE_DEMO;
const ports = Object.fromEntries(readFileSync(join(demo, "run/ports"), "utf8").trim().split("\n").map((line) => line.split("=")));
export const url = `https://127.0.0.1:${ports.primary_browser}`;
const filed = JSON.parse(readFileSync(join(demo, "filed.json"), "utf8"));
export const long = filed.long.hearing; // two cameras, three microphones, a recess, a crash of the station
export const filedAs = (name) => filed[name].hearing;

// A moment as the pages of the demo's French court show it.
export const clock = (utc) => new Date(utc).toLocaleTimeString("en-GB", { timeZone: "Europe/Paris" });

// "start" or "stop" of the demo's archive.
export function site(verb) {
  execFileSync(join(here, "site"), [verb, demo], { stdio: ["ignore", "inherit", "inherit"] });
}

// One after the other; a failure is told and the next one runs.
let failures = 0;
export async function check(name, body) {
  const begun = Date.now();
  try {
    await body();
    console.log(`ok   ${name} (${((Date.now() - begun) / 1000).toFixed(1)} s)`);
  } catch (error) {
    failures++;
    console.log(`FAIL ${name}\n     ${error.stack ?? error}`);
  }
}

// Several at once: for those that change nothing in the archive.
export async function together(named, atOnce) {
  const rest = [...named];
  const worker = async () => { while (rest.length > 0) await check(...rest.shift()); };
  await Promise.all(Array.from({ length: atOnce }, worker));
}

let browser;
export async function finish() {
  await (await browser)?.close();
  console.log(failures === 0 ? "all passed" : `${failures} failed`);
  process.exit(failures === 0 ? 0 : 1);
}

// A person at a computer of their own: nothing is remembered there yet. `who` is one of the demo's people.
const cookies = new Map();
export async function sitDown(who, { language = "en", width = 1440, height = 900, scheme = "light" } = {}) {
  browser ??= chromium.launch({ executablePath: "/usr/bin/chromium", args: flags });
  const context = await (await browser).newContext({ viewport: { width, height }, ignoreHTTPSErrors: true, colorScheme: scheme });
  await context.addInitScript((l) => localStorage.setItem("greffe.language", l), language);
  if (who && !cookies.has(who)) cookies.set(who, logIn(context, who));
  if (who) await context.addCookies(await cookies.get(who));
  const page = await context.newPage();
  page.faults = [];
  page.on("pageerror", (error) => page.faults.push(error.message));
  page.on("console", (m) => /Content Security Policy|Refused to/.test(m.text()) && page.faults.push(m.text()));
  return page;
}

export const password = (who) => readFileSync(join(demo, "logins", who), "utf8").trim();

async function logIn(context, who) {
  const answer = await context.request.post(`${url}/v1/session`, { data: { account: who, password: password(who) }, headers: { Origin: url } });
  assert.equal(answer.status(), 200, `${who} cannot sign in: ${await answer.text()}`);
  return context.cookies();
}

// After a restart of the archive nobody is signed in any more.
export function forgetSessions() {
  cookies.clear();
}

export const getUp = (page) => page.context().close();

export async function until(what, ask, ms = 20_000) {
  const end = Date.now() + ms;
  for (;;) {
    const answer = await ask();
    if (answer) return answer;
    if (Date.now() > end) throw new Error(`waited ${ms} ms in vain: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

export async function openHearing(page, id = long) {
  await page.goto(`${url}/?hearing=${id}`);
  await page.waitForSelector(".play");
}

export const badgeColour = (page) => page.getAttribute("button.badge", "data-badge");
export const badgeText = (page) => page.textContent("button.badge");
export const wallOf = (page) => page.evaluate(() => Number(document.querySelector(".wall").dataset.wall));
export const untilBadge = (page, colour, ms) =>
  until(`the badge turns ${colour}`, async () => (await badgeColour(page)) === colour, ms);

// Everything that the page has to say about what is wrong; `objects`: once each of them was checked.
export async function findings(page, objects = true) {
  await page.click("button.badge");
  await page.waitForSelector(".proof");
  // By the page's own hand: the button goes away when the last piece was checked while playing.
  if (objects) await page.evaluate(() => document.querySelector(".check-all button.main")?.click());
  await until("the check ends", async () => (await page.locator(".check-all progress").count()) === 0, 60_000);
  const lines = await page.locator(".proof .notice.bad li").allTextContents();
  await page.keyboard.press("Escape");
  return lines;
}

export async function axe(page, where) {
  await page.evaluate(axeSource);
  const found = await page.evaluate(() => window.axe.run(document, { runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"] }));
  const bad = found.violations.map((v) => `${where}: ${v.id} (${v.impact}) ${v.nodes.slice(0, 3).map((n) => n.html.slice(0, 120)).join(" | ")}`);
  assert.ok(bad.length === 0, bad.join("; "));
}

export async function noOverflow(page, where) {
  const over = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  assert.ok(over <= 0, `${where}: the page is ${over} px wider than the screen`);
}
