// The hearing of tests/system/five_faults.py as a clerk sees it: it plays to its end past a camera that died, one that froze, a reader and a
// recorder that were killed, a pause and a mute; each gap has its name and its streams, and the time adds up. GREFFE_SHOTS=DIR keeps pictures.
import assert from "node:assert/strict";
import { join } from "node:path";
import { axe, check, filedAs, findings, finish, getUp, noOverflow, openHearing, sitDown, until, untilBadge, wallOf } from "./world.mjs";

const faulty = filedAs("faulty");
const timelineOf = (page) => page.evaluate(async (id) => (await fetch(`/v1/hearings/${id}/timeline`)).json(), faulty);

await check("it plays to its end, past every fault, unaltered", async () => {
  const page = await sitDown("paul");
  await openHearing(page, faulty);
  const timeline = await timelineOf(page);
  const ends = timeline.streams.flatMap((s) => s.segments).map((s) => Date.parse(s.utc) + s.duration_90k / 90);
  for (let rate = 1; rate < 2; rate += 0.1) await page.keyboard.press(".");
  await page.keyboard.press("k");
  let before = 0;
  const slates = new Set();
  await until("the end", async () => {
    const wall = await wallOf(page);
    assert.ok(wall >= before, "the clock went back");
    before = wall;
    for (const slate of await page.locator("[data-slate]").evaluateAll((all) => all.map((e) => e.dataset.slate))) slates.add(slate);
    return wall > Math.max(...ends) - 500;
  }, 120_000);
  assert.ok(slates.has("recess") && slates.has("network"), `shown in place of a picture: ${[...slates]}`);
  await untilBadge(page, "good");
  assert.deepEqual(await findings(page), []);
  assert.deepEqual(page.faults, []);
  await getUp(page);
});

await check("each gap has its name and its streams, and the time adds up", async () => {
  const page = await sitDown("paul");
  await openHearing(page, faulty);
  const { account, gaps } = await timelineOf(page);
  assert.equal(account.recorded_ms + account.excused_ms + account.unexcused_ms, account.declared_ms);
  assert.equal(account.joins, 0);
  const lines = (await page.locator(".marks .line:has(.gap-text)").allInnerTexts()).map((line) => line.replace(/\s+/g, " "));
  assert.equal(lines.length, gaps.length);
  for (const told of [/network failure Camera: bench$/, /network failure Microphone: judge$/, /no signal Camera: room$/, /recess all streams$/,
    /equipment fault Camera: bench$/, /equipment fault Camera: room$/, /equipment fault Microphone: judge$/, /equipment fault Microphone: bar$/,
    /equipment fault Microphone: witness$/, /stopped by hand Microphone: bar · counsel speaks with the client$/]) {
    assert.ok(lines.some((line) => told.test(line)), `${told} is not in\n${lines.join("\n")}`);
  }
  assert.ok(!lines.some((line) => /cause unknown|never explained|for 0/.test(line)), lines.join("\n"));
  const words = (await page.innerText(".account")).replace(/\s+/g, " ").trim();
  const seconds = [...words.matchAll(/(?:(\d+) min )?(\d+) s|(\d+) min/g)].reduce((sum, [, m, s, only]) => sum + 60 * Number(m ?? only ?? 0) + Number(s ?? 0), 0);
  assert.ok(Math.abs(seconds - account.declared_ms / 1000) <= 4, `${words}: ${seconds} s of ${account.declared_ms} ms`);
  await getUp(page);
});

for (const language of ["en", "fr", "zh"]) {
  for (const [width, height] of [[1440, 900], [390, 844]]) {
    await check(`${language} at ${width} px: axe, width`, async () => {
      const page = await sitDown("paul", { language, width, height, scheme: width < 900 ? "dark" : "light" });
      await openHearing(page, faulty);
      await untilBadge(page, "good");
      await axe(page, "faulty");
      await noOverflow(page, "faulty");
      if (process.env.GREFFE_SHOTS) await page.screenshot({ path: join(process.env.GREFFE_SHOTS, `faulty-${language}-${width}.png`), fullPage: true });
      await getUp(page);
    });
  }
}
await finish();
