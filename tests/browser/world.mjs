// What the tests of the archive's pages share: the demo's site and people.
//
// GREFFE_UI: the folder web/ui; GREFFE_DEMO: a finished demo of packaging/quickstart; GREFFE_PROGRAMS: the build folder.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { freshPage, until } from "./browser.mjs";

export * from "./browser.mjs";

const here = dirname(fileURLToPath(import.meta.url));
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
  execFileSync(join(here, "../../packaging/demo/site"), [verb, demo], { stdio: ["ignore", "inherit", "inherit"] });
}

// A person at a computer of their own: nothing is remembered there yet. `who` is one of the demo's people.
const cookies = new Map();
export async function sitDown(who, { language = "en", width = 1440, height = 900, scheme = "light" } = {}) {
  const page = await freshPage({ language, width, height, scheme });
  const context = page.context();
  if (who && !cookies.has(who)) cookies.set(who, logIn(context, who));
  if (who) await context.addCookies(await cookies.get(who));
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
