// A hearing in three sittings, in rooms and courts of which not everybody sees all; gaps that were explained later; the account of
// the time in words. Against the site of small_site.py, at two widths, in three languages; GREFFE_SHOTS=DIR keeps pictures.
import assert from "node:assert/strict";
import { join } from "node:path";
import { axe, check, filedAs, findings, finish, getUp, noOverflow, openHearing, sitDown, together, until, untilBadge, url } from "./world.mjs";

const [first, second, third, explained] = ["first", "second", "third", "explained"].map(filedAs);
const strip = (page) => page.locator(".sittings li").allInnerTexts();
const shown = (page) => new URL(page.url()).searchParams.get("hearing");

await check("all sittings stand in order, and each is one press away", async () => {
  const page = await sitDown("paul");
  await openHearing(page, first);
  const lines = await strip(page);
  assert.equal(lines.length, 3);
  assert.match(lines[0], /Sitting 1 · 12\ss\s+Mon,? 2 Nov 2026, 10:00\s+Courtroom 1$/);
  assert.match(lines[1], /Sitting 2 · 12\ss\s+Mon,? 16 Nov 2026, 14:30\s+Courtroom 4$/);
  assert.match(lines[2], /Sitting 3 · 12\ss\s+Mon,? 30 Nov 2026, 09:15\s+Courtroom 2, Nantes Judicial Court$/);
  assert.equal(await page.locator(".sittings [aria-current=page]").count(), 1);
  assert.match(await page.textContent(".adjoining"), /^Continued on Mon,? 16 Nov 2026 in Courtroom 4 →$/);
  await page.click(".sittings li:nth-child(2) a");
  await until("the second sitting", async () => shown(page) === second && (await page.locator(".sittings li:nth-child(2) [aria-current=page]").count()) === 1);
  assert.match(await page.textContent(".adjoining p:first-child"), /^← Continued from Mon,? 2 Nov 2026 in Courtroom 1$/);
  assert.match(await page.textContent(".adjoining p:last-child"), /^Continued on Mon,? 30 Nov 2026 in Courtroom 2, Nantes Judicial Court →$/);
  await untilBadge(page, "good");
  assert.deepEqual(await findings(page), []);
  await page.goBack();
  await until("the first one again", async () => shown(page) === first && (await page.locator(".sittings li:nth-child(1) [aria-current=page]").count()) === 1);
  assert.deepEqual(page.faults, []);
  await getUp(page);
});

await check("by keyboard alone to the next sitting, which plays", async () => {
  const page = await sitDown("paul");
  await openHearing(page, first);
  await until("the second sitting by Tab", async () => {
    await page.keyboard.press("Tab");
    return page.evaluate((id) => document.activeElement.closest(".sittings") && document.activeElement.href.includes(id), second);
  });
  await page.keyboard.press("Enter");
  await until("the second sitting", async () => shown(page) === second && (await page.locator(".play").count()) === 1);
  await page.keyboard.press("k");
  await until("it plays", () => page.evaluate(() => [...document.querySelectorAll("video,audio")].some((e) => !e.paused && e.currentTime > 0)));
  assert.deepEqual(page.faults, []);
  await getUp(page);
});

await check("a sitting of another court is said to be there, and whom to ask", async () => {
  for (const [who, id, hidden] of [["claire", second, [3]], ["nadia", third, [1, 2]]]) {
    const page = await sitDown(who);
    await openHearing(page, id);
    const lines = await strip(page);
    assert.equal(lines.length, 3);
    for (const [i, line] of lines.entries()) {
      const told = new RegExp(`Sitting ${i + 1}\\s+Another sitting that you may not see here\\s+Ask the chief clerk`);
      if (hidden.includes(i + 1)) assert.match(line, told);
      else assert.doesNotMatch(line, told);
    }
    assert.equal(await page.locator(".sittings a").count(), 3 - hidden.length);
    await getUp(page);
  }
  const page = await sitDown("nadia");
  await openHearing(page, third);
  assert.equal((await page.textContent(".adjoining")).trim(), "← Continued from a sitting that you may not see here");
  await page.goto(`${url}/?hearing=${first}`);
  await page.waitForSelector(".notice.bad");
  await getUp(page);
});

await check("the explanation stands beside its gap, excuses nothing, and the time adds up in words", async () => {
  const page = await sitDown("claire");
  await openHearing(page, explained);
  const line = page.locator(".marks .line", { hasText: "power failure" });
  const told = (await line.innerText()).replace(/\s+/g, " ");
  assert.match(told, /No recording for 30 s: power failure .*Explained later: La femme de ménage a débranché la prise du greffe\. claire · power failure · explains the interruption, does not excuse it/);
  assert.equal(await page.locator(".marks .explanation").count(), 1);
  assert.equal(await page.locator(".marks .gap-text.attention").count(), 2);
  assert.equal((await page.innerText(".account")).replace(/\s+/g, " ").trim(), "20 s recorded, 1 min recess, 30 s interrupted, with an explanation, 4 s without an explanation");
  assert.deepEqual(await findings(page), []);
  assert.deepEqual(page.faults, []);
  await getUp(page);
});

await check("a case that was corrected in the courtroom is told in three languages, and no word of it becomes part of the page", async () => {
  const wrong = "RG 26/00998 <img src=x onerror=alert(1)>";
  const told = {
    en: [/Corrected in the courtroom, while the hearing was recorded/, /corrected once in the courtroom; the correction is entry 7 of the signed list/],
    fr: [/Rectifiée dans la salle d’audience, pendant l’enregistrement/, /rectifiée une fois dans la salle\s; la rectification est l’entrée 7 de la liste signée/],
    zh: [/录制期间在法庭更正/, /案件信息在法庭更正过1次；更正记录为已签名清单的第7条/],
  };
  for (const [language, [history, proof]] of Object.entries(told)) {
    const page = await sitDown("claire", { language });
    await openHearing(page, explained);
    await untilBadge(page, "good");
    assert.equal(await page.textContent(".cases"), "RG 26/00999");
    await page.click("#tab-details");
    const versions = await page.innerText(".versions");
    assert.match(versions, history);
    for (const words of [wrong, "RG 26/00999", "Une autre affaire", "g-07"]) assert.ok(versions.includes(words), `${words} is not in: ${versions}`);
    assert.equal(await page.locator(".versions img").count(), 0);
    await axe(page, `corrected ${language}`);
    if (process.env.GREFFE_SHOTS) await page.screenshot({ path: join(process.env.GREFFE_SHOTS, `corrected-${language}.png`) });
    await page.click("button.badge");
    await page.waitForSelector(".proof .corrected");
    assert.match(await page.innerText(".proof .corrected"), proof);
    assert.deepEqual(page.faults, []);
    await getUp(page);
  }
  const page = await sitDown("claire");
  await page.goto(`${url}/?q=${encodeURIComponent("RG 26/00998")}`);
  await page.waitForSelector("main a");
  const found = await page.innerText("main");
  assert.ok(found.includes("RG 26/00999") && !found.includes(wrong), found);
  await getUp(page);
});

async function look(language, width, height) {
  for (const [name, who, id] of [["sittings", "claire", second], ["explained", "claire", explained]]) {
    const page = await sitDown(who, { language, width, height, scheme: width < 900 ? "dark" : "light" });
    await openHearing(page, id);
    await untilBadge(page, "good");
    await axe(page, name);
    await noOverflow(page, name);
    if (name === "sittings") {
      const inSight = await page.evaluate(() => {
        const [here, list] = ["[aria-current]", "ol"].map((what) => document.querySelector(`.sittings ${what}`).getBoundingClientRect());
        return here.left >= list.left && here.right <= list.right;
      });
      assert.ok(inSight, "the sitting that is shown is out of sight in the list");
    }
    if (process.env.GREFFE_SHOTS) {
      await page.screenshot({ path: join(process.env.GREFFE_SHOTS, `${name}-${language}-${width}.png`), fullPage: true });
    }
    assert.deepEqual(page.faults, []);
    await getUp(page);
  }
}

const looks = [];
for (const language of ["en", "fr", "zh"]) {
  for (const [width, height] of [[1440, 900], [390, 844]]) looks.push([`${language} at ${width} px: axe, width`, () => look(language, width, height)]);
}
await together(looks, 2);
await finish();
