// A hearing that one court shares with another: by keyboard alone, what the other court's people see, and how it ends. Against the site
// of small_site.py, at two widths, in three languages; GREFFE_SHOTS=DIR keeps pictures.
import assert from "node:assert/strict";
import { join } from "node:path";
import { axe, check, filedAs, findings, finish, getUp, noOverflow, openHearing, sitDown, together, until, untilBadge, url } from "./world.mjs";

const shared = filedAs("explained");
const untilDay = "2099-12-31";
const section = (page) => page.locator("section.shares");
const focusOn = (page, what, selector) =>
  until(what, async () => {
    await page.keyboard.press("Tab");
    return page.evaluate((s) => document.activeElement.matches(s), selector);
  });

async function details(page, id = shared) {
  await openHearing(page, id);
  await page.click("#tab-details");
}

await check("before it is shared nobody of the other court sees it", async () => {
  const page = await sitDown("nadia");
  await page.goto(`${url}/?hearing=${shared}`);
  await page.waitForSelector(".notice.bad");
  await getUp(page);
});

await check("the clerk shares it by keyboard alone", async () => {
  const page = await sitDown("claire");
  await openHearing(page, shared);
  await focusOn(page, "the tab", "#tab-marks");
  await page.keyboard.press("ArrowRight");
  await section(page).waitFor();
  await until("nobody else sees it", async () => /No other court sees this hearing\./.test(await section(page).innerText()));
  await focusOn(page, "the button", "section.shares > button");
  await page.keyboard.press("Enter");
  await page.waitForSelector("dialog select");
  await focusOn(page, "the court", "dialog select");
  await page.keyboard.type("Nantes");
  await focusOn(page, "the day", "dialog input[type=date]");
  await page.keyboard.type("12312099");  // as the browser here writes days, whatever the page's language
  await focusOn(page, "the reason", "dialog textarea");
  await page.keyboard.type("L’affaire y est renvoyée.");
  assert.equal(await page.inputValue("dialog input[type=date]"), untilDay);
  await focusOn(page, "the button that shares", "dialog button.main");
  await page.keyboard.press("Enter");
  await until("the court stands in the list", async () => (await section(page).locator("li[data-state=active]").count()) === 1);
  const told = (await section(page).innerText()).replace(/\s+/g, " ");
  assert.match(told, /Nantes Judicial Court sees it Shared .* · claire · until 31 Dec 2099 23:59:59 Reason: L’affaire y est renvoyée\./);
  assert.deepEqual(page.faults, []);
  await getUp(page);
});

await check("the other court finds it as shared, plays and checks it, and adds nothing", async () => {
  const page = await sitDown("nadia");
  await page.goto(`${url}/?q=${encodeURIComponent("RG 26/00999")}`);
  await page.waitForSelector("#results a.row");
  assert.match(await page.innerText("#results a.row"), /Shared by Lyon Judicial Court until 31 Dec 2099 23:59:59/);
  await page.click("#results a.row");
  await page.waitForSelector(".play");
  assert.match(await page.innerText(".hearing-head"), /Shared by Lyon Judicial Court until 31 Dec 2099/);
  await untilBadge(page, "good");
  assert.deepEqual(await findings(page), []);
  await page.keyboard.press("k");
  await until("it plays", () => page.evaluate(() => [...document.querySelectorAll("video,audio")].some((e) => !e.paused && e.currentTime > 0)));
  await page.click("#tab-details");
  await page.waitForSelector(".details dl");
  assert.equal(await section(page).count(), 0);
  assert.doesNotMatch(await page.innerText("main"), /Correct the details|Add a mark|Mark here/);
  assert.deepEqual(page.faults, []);
  await getUp(page);
});

await check("a court of another archive is named, and it is said that its register is not seen from here", async () => {
  const page = await sitDown("claire");
  await details(page);
  await section(page).locator("> button").click();
  await page.selectOption("dialog select", "/");
  await page.fill("dialog input:not([type=date])", "archive.nowhere.example/civil");
  await page.fill("dialog textarea", "Commission rogatoire");
  await page.click("dialog button.main");
  await until("both stand in the list", async () => (await section(page).locator("li").count()) === 2);
  assert.match(await section(page).locator("li", { hasText: "archive.nowhere.example/civil" }).innerText(), /Cannot be seen from here: whether the register/);
  await section(page).locator("> button").click();
  await page.selectOption("dialog select", "/");
  await page.fill("dialog input:not([type=date])", "nulle part");
  await page.fill("dialog textarea", "x");
  await page.click("dialog button.main");
  await page.waitForSelector("dialog .notice.bad");
  await page.keyboard.press("Escape");
  await until("the dialog is gone", async () => (await page.locator("dialog").count()) === 0);
  await getUp(page);
});

async function look(language, width, height) {
  const scheme = width < 900 ? "dark" : "light";
  const shot = async (page, name) => {
    await axe(page, `${name} ${language} ${width}`);
    await noOverflow(page, name);
    if (process.env.GREFFE_SHOTS) await page.screenshot({ path: join(process.env.GREFFE_SHOTS, `${name}-${language}-${width}.png`), fullPage: true });
  };
  const clerk = await sitDown("claire", { language, width, height, scheme });
  await details(clerk);
  await section(clerk).locator("li").first().waitFor();
  await section(clerk).scrollIntoViewIfNeeded();
  await shot(clerk, "shares");
  await section(clerk).locator("> button").click();
  await clerk.waitForSelector("dialog select");
  await clerk.selectOption("dialog select", "/");
  await shot(clerk, "share-dialog");
  assert.deepEqual(clerk.faults, []);
  await getUp(clerk);
  const guest = await sitDown("nadia", { language, width, height, scheme });
  await guest.goto(`${url}/?q=${encodeURIComponent("RG 26/00999")}`);
  await guest.waitForSelector(".state.shared");
  await shot(guest, "shared-found");
  await openHearing(guest, shared);
  await untilBadge(guest, "good");
  await shot(guest, "shared-hearing");
  assert.deepEqual(guest.faults, []);
  await getUp(guest);
}

const looks = [];
for (const language of ["en", "fr", "zh"]) {
  for (const [width, height] of [[1440, 900], [390, 844]]) looks.push([`${language} at ${width} px: axe, width`, () => look(language, width, height)]);
}
await together(looks, 2);

await check("it is ended while the other court has it open: nothing more is shown or played there", async () => {
  const guest = await sitDown("nadia");
  await openHearing(guest, shared);
  await untilBadge(guest, "good");
  const playlist = () => guest.evaluate(async (id) => (await fetch(`/v1/hearings/${id}/master.m3u8`)).status, shared);
  assert.equal(await playlist(), 200);
  const clerk = await sitDown("claire");
  await details(clerk);
  await section(clerk).locator("li", { hasText: "Nantes" }).locator("button").click();
  await clerk.fill("dialog textarea", "Jugée.");
  await clerk.click("dialog button.main");
  await until("it is ended", async () => (await section(clerk).locator("li[data-state=revoked]").count()) === 1);
  assert.match((await section(clerk).innerText()).replace(/\s+/g, " "), /Nantes Judicial Court ended .* Ended .* · claire · Jugée\./);
  assert.equal(await playlist(), 404);
  await guest.reload();
  await guest.waitForSelector(".notice.bad");
  await guest.goto(`${url}/?q=${encodeURIComponent("RG 26/00999")}`);
  await guest.waitForSelector("#results.empty");
  assert.deepEqual(clerk.faults, []);
  await getUp(clerk);
  await getUp(guest);
});
await finish();
