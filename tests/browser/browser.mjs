// What every browser test stands on: a Chromium with fresh profiles, and checks of a page. GREFFE_UI: the folder web/ui.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";

const require = createRequire(join(process.env.GREFFE_UI, "package.json"));
const { chromium } = require("playwright-core");
const axeSource = readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");
const flags = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
  "--disable-component-update", "--disable-sync", "--autoplay-policy=no-user-gesture-required"];

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

// A fresh profile: nothing is remembered there yet. `page.faults` gathers what must never happen.
export async function freshPage({ language = "en", width = 1440, height = 900, scheme = "light", storage = {}, ...more } = {}) {
  browser ??= chromium.launch({ executablePath: "/usr/bin/chromium", args: flags });
  const context = await (await browser).newContext({ viewport: { width, height }, ignoreHTTPSErrors: true, colorScheme: scheme, ...more });
  const remembered = { "greffe.language": language, ...storage };
  await context.addInitScript((all) => Object.entries(all).forEach(([key, value]) => localStorage.setItem(key, value)), remembered);
  const page = await context.newPage();
  page.faults = [];
  page.on("pageerror", (error) => page.faults.push(error.message));
  page.on("console", (m) => /Content Security Policy|Refused to/.test(m.text()) && page.faults.push(m.text()));
  return page;
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
