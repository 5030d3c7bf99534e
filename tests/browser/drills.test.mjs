// What an auditor and an operator see at the second site: how each drill went, what failed, how long it took, and what is known ahead of what is held.
// Against the site of drilled_site.py, at three widths, in three languages; GREFFE_SHOTS=DIR keeps pictures.
import assert from "node:assert/strict";
import { join } from "node:path";
import { axe, check, filedAs, finish, getUp, noOverflow, sitDown, together, until, url } from "./world.mjs";

async function openAudit(page) {
  await page.goto(`${url}/?page=audit`);
  await page.waitForSelector(".drills tbody");
}

await check("each drill stands with its result and its times, the newest first", async () => {
  const page = await sitDown("rosa");
  await openAudit(page);
  const rows = (await page.locator(".drills tbody .figures").allInnerTexts()).map((text) => text.replace(/\s+/g, " "));
  assert.equal(rows.length, 3);
  assert.match(rows[0], /archive\.test\.example \d+ failures? \d+ objects/);
  for (const row of rows.slice(1)) assert.match(row, /archive\.test\.example All as the logs say \d+ objects .*\d+\ss .* 5$/);
  assert.match(await page.innerText(".drills > p:nth-of-type(2)"), /^archive\.test\.example · Last good drill: .*(ago|just now)$/);
  assert.match(await page.getAttribute(".rto svg", "aria-label"), /^archive\.test\.example: ready after .* at the newest drill, .* at most since /);
  assert.ok((await page.locator(".rto circle").count()) >= 2);
  assert.deepEqual(page.faults, []);
  await getUp(page);
});

await check("by keyboard alone: what failed is named, with its hearing, and no word of it becomes part of the page", async () => {
  const page = await sitDown("rosa");
  await openAudit(page);
  await until("the newest drill's details by Tab", async () => {
    await page.keyboard.press("Tab");
    return page.evaluate(() => document.activeElement.closest(".drills tbody:first-of-type summary") !== null);
  });
  await page.keyboard.press("Enter");
  const told = page.locator(".drills tbody:first-of-type details");
  await until("they are open", async () => (await told.getAttribute("open")) !== null);
  const text = (await told.innerText()).replace(/\s+/g, " ");
  assert.match(text, new RegExp(`Recording or document: hearing ${filedAs("damaged")}, stream `));
  assert.match(text, /Catalogue from nothing .*3 hearings · the same as the one in use/);
  assert.match(text, /Asked for by a person/);
  assert.deepEqual(page.faults, []);
  await getUp(page);
});

await check("its entry is among those of the main log, and proven", async () => {
  const page = await sitDown("rosa");
  await openAudit(page);
  await page.selectOption(".entry-filter select", "drill");
  await until("three entries", async () => (await page.locator(".entry-list > li").count()) === 3);
  await page.locator(".entry-list summary").first().click();
  await page.click("text=Prove that it is in the log");
  await page.waitForSelector(".hashes");
  assert.equal(await page.locator(".entry-list .bad-text").count(), 0);
  assert.deepEqual(page.faults, []);
  await getUp(page);
});

await check("the status page says what the last drill found, to operators too", async () => {
  const page = await sitDown("olga");
  await page.goto(`${url}/?page=status`);
  await page.waitForSelector(".reasons");
  assert.match(await page.innerText(".reasons"), /The last drill of a copy found failures/);
  await page.click("text=Last good drill");
  await page.waitForSelector(".drills tbody");
  assert.deepEqual(page.faults, []);
  await getUp(page);
});

await check("the status page says what is announced and still to come", async () => {
  const page = await sitDown("olga");
  await page.goto(`${url}/?page=status`);
  const row = page.locator(".ahead");
  await row.waitFor();
  assert.match((await row.innerText()).replace(/\s+/g, " "), /^Announced by archive\.test\.example, still to come 1 hearing · \d+ entries · [3-9] objects · \S+ \S+ oldest entry: .* ago$/);
  assert.deepEqual(page.faults, []);
  await getUp(page);
});

async function lookAtStatus(language, width, height) {
  const page = await sitDown("olga", { language, width, height, scheme: width < 900 ? "dark" : "light" });
  await page.goto(`${url}/?page=status`);
  await page.locator(".ahead").waitFor();
  await axe(page, `ahead ${language}`);
  await noOverflow(page, `ahead ${language}`);
  if (process.env.GREFFE_SHOTS) await page.screenshot({ path: join(process.env.GREFFE_SHOTS, `ahead-${language}-${width}.png`), fullPage: true });
  assert.deepEqual(page.faults, []);
  await getUp(page);
}

async function look(language, width, height) {
  const page = await sitDown("rosa", { language, width, height, scheme: width < 900 ? "dark" : "light" });
  await openAudit(page);
  await page.locator(".drills summary").first().click();
  await axe(page, `drills ${language}`);
  await noOverflow(page, `drills ${language}`);
  if (process.env.GREFFE_SHOTS) await page.screenshot({ path: join(process.env.GREFFE_SHOTS, `drills-${language}-${width}.png`), fullPage: true });
  assert.deepEqual(page.faults, []);
  await getUp(page);
}

const looks = [];
for (const language of ["en", "fr", "zh"]) {
  for (const [width, height] of [[1440, 900], [768, 1024], [390, 844]]) looks.push([`${language} at ${width} px: axe, width`, () => look(language, width, height)]);
}
for (const language of ["en", "fr", "zh"]) {
  for (const [width, height] of [[1440, 900], [390, 844]]) looks.push([`status in ${language} at ${width} px: axe, width`, () => lookAtStatus(language, width, height)]);
}
await together(looks, 2);
await finish();
