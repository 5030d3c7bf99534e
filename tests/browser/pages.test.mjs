// The pages as each of the demo's people uses them, against the real archive: find, play, prove, mark, correct, audit,
// in three languages, at three widths, light and dark, with axe and by keyboard alone.
import assert from "node:assert/strict";
import {
  axe, badgeText, check, clock, filedAs, findings, finish, getUp, long, noOverflow, openHearing, password, sitDown, together, until,
  untilBadge, url, wallOf,
} from "./world.mjs";

const playing = (page) => page.evaluate(() => [...document.querySelectorAll("video,audio")].filter((e) => !e.paused)
  .map((e) => ({ stream: e.dataset.stream, drift: Math.abs(Number(e.dataset.errorMs)), rate: e.playbackRate, pitch: e.preservesPitch })));

// A pattern of the length as the pages say it in English.
function length(ms) {
  const [minutes, seconds] = [Math.floor(Math.round(ms / 1000) / 60), Math.round(ms / 1000) % 60];
  return [minutes ? `${minutes}\\smin` : "", seconds || !minutes ? `${seconds}\\ss` : ""].filter(Boolean).join("\\s");
}

const timelineOf = (page) => page.evaluate(async (id) => (await fetch(`/v1/hearings/${id}/timeline`)).json(), long);

// All that was recorded, of all streams.
const recorded = (timeline) => length(timeline.streams.flatMap((s) => s.segments).reduce((sum, s) => sum + s.duration_90k / 90, 0));

await check("the demo hearing plays, badge green, all streams together", async () => {
  const page = await sitDown("claire");
  await openHearing(page);
  const timeline = await timelineOf(page);
  await page.click(".play");
  await untilBadge(page, "good");
  assert.match(await badgeText(page), /^Unaltered: .*checked.*Second copy at dr\.demo\.example since /);
  const before = await wallOf(page);
  await until("the clock advances", async () => (await wallOf(page)) > before + 3000);
  const elements = await playing(page);
  assert.deepEqual(elements.map((e) => e.stream).sort(), ["cam-bench", "cam-speaker", "mic-judge", "mic-party", "mic-witness"]);
  assert.ok(elements.every((e) => e.drift < 250), `drift in ms: ${JSON.stringify(elements)}`);
  const picture = await page.evaluate(() => document.querySelector("video").getVideoPlaybackQuality().totalVideoFrames);
  assert.ok(picture > 30, `${picture} pictures were shown in three seconds`);

  await page.keyboard.press(".");
  await until("faster", async () => (await playing(page)).every((e) => Math.abs(e.rate - 1.1) < 0.08 && e.pitch));
  await page.keyboard.press("0");
  const mute = page.locator(".lane-name.sound button").first();
  await mute.click();
  assert.equal(await mute.getAttribute("aria-pressed"), "true");
  await mute.click();

  const objection = timeline.marks.find((mark) => mark.text === "Objection de la défense");
  await page.locator(".marks .line", { hasText: objection.text }).click();
  await until("the mark's moment", async () => Math.abs(await wallOf(page) - Date.parse(objection.at)) < 3000);
  assert.equal((await page.textContent(".wall-time")).slice(0, 5), clock(objection.at).slice(0, 5));
  await page.keyboard.press("k");

  // Into the recess: the clock runs, the slate says why there is no picture and from when to when.
  const recess = timeline.gaps.find((gap) => gap.reason === "recess");
  await page.locator(".marks .line", { hasText: "recess" }).click();
  await page.keyboard.press("k");
  await page.waitForSelector("[data-slate=recess]");
  assert.match(await page.textContent("[data-slate=recess]"), new RegExp(`${clock(recess.from)} – ${clock(recess.to)} \\(${length(Date.parse(recess.to) - Date.parse(recess.from))}\\).*recess`));

  assert.deepEqual(await findings(page), []);
  assert.match(await badgeText(page), new RegExp(`^Unaltered: ${recorded(timeline)}\\schecked`));
  assert.deepEqual(page.faults, []);
  await getUp(page);
});

await check("an auditor verifies a hearing and the archive's register", async () => {
  const page = await sitDown("auditor");
  await page.goto(`${url}/?page=audit`);
  await page.waitForSelector(".verify-result, .panel");
  await page.fill(".entry-filter input[size='40']", `${url}/?hearing=${long}`);
  const whole = new RegExp(`^Unaltered: ${recorded(await timelineOf(page))}\\schecked`);
  await page.click("text=Verify now");
  await until("the verdict", async () => (await page.locator(".verify-result .badge.good").count()) === 1, 60_000);
  await until("everything checked", async () => whole.test(await page.textContent(".verify-result .badge")), 60_000);
  await page.click("text=Read the whole log");
  await until("the whole log", async () => (await page.locator(".entries .good-text", { hasText: "exactly the signed root" }).count()) === 1);
  await page.locator(".entry-list summary").first().click();
  await page.click("text=Prove that it is in the log");
  await page.waitForSelector(".hashes");
  assert.equal(await page.locator(".entry-list .bad-text").count(), 0);
  assert.deepEqual(page.faults, []);
  await getUp(page);
});

await check("a correction: the old value stays visible, both are found", async () => {
  const page = await sitDown("claire", { height: 1000 });
  const id = filedAs("short-04");
  await openHearing(page, id);
  await page.click("#tab-details");
  const old = await page.locator(".details dd").first().textContent();
  const corrected = `RG 26/9${Date.now() % 100000}`;
  await page.click("text=Correct the details");
  await axe(page, "correct");
  await page.locator("form.correct textarea").first().fill(corrected);
  const save = page.locator("form.correct button.main");
  assert.ok(await save.isDisabled(), "a correction without a reason can be saved");
  await page.fill("form.correct .reason textarea", "Numéro mal saisi à l’ouverture");
  await save.click();
  await until("the correction", async () => (await page.locator(".versions", { hasText: corrected }).count()) === 1);
  const versions = await page.textContent(".versions");
  for (const shown of [old, corrected, "Claire Morel", "Numéro mal saisi à l’ouverture"]) assert.ok(versions.includes(shown), `${shown} is not in: ${versions}`);
  await page.reload();
  await page.waitForSelector(".play");
  assert.deepEqual(await findings(page), []);
  for (const words of [old, corrected]) {
    await page.goto(`${url}/?q=${encodeURIComponent(words)}`);
    await page.waitForSelector("a.row");
    const found = await page.evaluate(() => [...document.querySelectorAll("a.row")].map((a) => a.getAttribute("href")));
    assert.ok(found.some((href) => href.includes(id)), `${words} does not find the hearing`);
  }
  await getUp(page);
});

await check("an operator sees the status and no content", async () => {
  const page = await sitDown("operator");
  await page.goto(`${url}/`);
  await page.waitForSelector(".sentence");
  assert.equal(await page.locator("nav a", { hasText: "Find" }).count(), 0);
  for (const path of [`hearings?q=lefevre`, `hearings/${long}`, `hearings/${long}/timeline`, `hearings/${long}/proof`, `hearings/${long}/master.m3u8`]) {
    const status = await page.evaluate(async (p) => (await fetch(`/v1/${p}`)).status, path);
    assert.equal(status, 403, `the operator got ${status} for ${path}`);
  }
  await page.goto(`${url}/?hearing=${long}`);
  await page.waitForSelector(".notice.bad");
  assert.match(await page.textContent(".notice.bad"), /chief clerk/);
  assert.ok(!(await page.textContent("body")).includes("Lefèvre"));
  await getUp(page);
});

await check("a clerk finds nothing of another court", async () => {
  const page = await sitDown("meiling", { language: "zh" });
  await page.goto(`${url}/`);
  await page.fill("input[type=search]", "王伟");
  await page.waitForSelector("a.row");
  assert.ok(!(await page.textContent("#results")).includes("Lefèvre"));
  await page.goto(`${url}/?hearing=${long}`);
  await page.waitForSelector(".notice.bad");
  await getUp(page);
});

async function look(language, [width, height, scheme], word) {
  const size = { language, width, height, scheme };
  const clerk = await sitDown(language === "zh" ? "meiling" : "claire", size);
  await clerk.goto(`${url}/?q=${language === "zh" ? "王" : "lef"}`);
  await clerk.waitForSelector("a.row");
  assert.ok((await clerk.getAttribute("html", "lang")).startsWith(language));
  await axe(clerk, "find");
  await noOverflow(clerk, "find");
  await openHearing(clerk, language === "zh" ? filedAs("short-01") : long);
  await clerk.click(".play");
  await untilBadge(clerk, "good");
  assert.ok((await badgeText(clerk)).includes(word), await badgeText(clerk));
  await clerk.keyboard.press("k");
  await axe(clerk, "hearing");
  await noOverflow(clerk, "hearing");
  await clerk.click("button.badge");
  await clerk.waitForSelector(".proof");
  await axe(clerk, "proof");
  await noOverflow(clerk, "proof");
  assert.deepEqual(clerk.faults, []);
  await getUp(clerk);
  const auditor = await sitDown("auditor", size);
  for (const name of ["status", "audit"]) {
    await auditor.goto(`${url}/?page=${name}`);
    await auditor.waitForSelector(".panel td, .panel dd");
    await axe(auditor, name);
    await noOverflow(auditor, name);
  }
  assert.deepEqual(auditor.faults, []);
  await getUp(auditor);
}

const looks = [];
for (const [language, word] of [["zh", "核验"], ["fr", "Intègre"], ["en", "Unaltered"]]) {
  // The narrowest screen in the language with the longest words.
  for (const size of [[1440, 900, "light"], [390, 844, "dark"], ...(language === "fr" ? [[360, 740, "light"], [1440, 900, "dark"]] : [])]) {
    looks.push([`${language} at ${size[0]} px, ${size[2]}: axe, width, words`, () => look(language, size, word)]);
  }
}
await together(looks, 2);

await check("keyboard only: sign in, find, play, mark, proof", async () => {
  const page = await sitDown(undefined, { width: 1280, height: 800, scheme: "dark" });
  await page.goto(`${url}/`);
  await page.waitForSelector("#account");
  await axe(page, "sign in");
  await page.focus("#account");
  await page.keyboard.type("claire");
  await page.keyboard.press("Tab");
  await page.keyboard.type(password("claire"));
  await page.keyboard.press("Enter");
  await page.waitForSelector("input[type=search]:focus");
  await page.keyboard.type("batimont");
  await page.waitForSelector("a.row mark");
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
  await until("the badge by Tab", async () => {
    await page.keyboard.press("Tab");
    return page.evaluate(() => document.activeElement.classList.contains("badge"));
  });
  await page.keyboard.press("Enter");
  await page.waitForSelector("dialog[open] .proof");
  const saved = page.waitForEvent("download");
  await until("the download by Tab", async () => {
    await page.keyboard.press("Tab");
    return page.evaluate(() => document.activeElement.textContent.includes("Download the proof"));
  });
  await page.keyboard.press("Enter");
  assert.match((await saved).suggestedFilename(), /^greffe-proof-.*\.json$/);
  await page.keyboard.press("Escape");
  assert.equal(await page.locator("dialog[open]").count(), 0);
  await getUp(page);
});

await finish();
