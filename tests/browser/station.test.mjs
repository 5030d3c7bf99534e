// The page in the courtroom, against a real station that really records: a hearing by keyboard alone and by touch, what a
// foreign page may not do, a station that goes away, a password, and how it looks.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { join } from "node:path";
import { axe, check, finish, freshPage, getUp, noOverflow, until } from "./browser.mjs";
import { freePort, Station } from "./station.mjs";

const phrases = 'phrases = ["Objection", "Témoin appelé", "证据出示", "Serment"]';
const station = await Station.make(phrases);
const shots = process.env.GREFFE_SHOTS;
if (shots) mkdirSync(shots, { recursive: true });
const shoot = (page, name) => shots && page.screenshot({ path: join(shots, `${name}.png`) });

const heading = (page) => page.textContent(".band h1");
const says = (page, word, ms) => until(`the page says ${word}`, async () => (await heading(page)).includes(word), ms);
const sit = async (more = {}) => {
  const page = await freshPage({ width: 1024, height: 768, ...more });
  await page.goto(more.url ?? station.url);
  await page.waitForSelector(".band, .sign-in");
  return page;
};
const markedLines = (page) => page.locator(".marked li").count();

await station.start();

await check("a hearing by keyboard alone, as it then stands in the log", async () => {
  const page = await sit({ storage: { "greffe.person": "g-07" } });
  await says(page, "Ready");
  await until("all streams are connected", () => station.state().streams.every((s) => s.state === "ready"));
  await page.keyboard.press("F1"); // no hearing: nothing to mark, and no help page of the browser either
  await page.keyboard.press("o");
  await page.keyboard.type("(2026)京01民初88号; RG 26/01234");
  await page.keyboard.press("Tab");
  await page.keyboard.type("Vente d’immeuble");
  await page.keyboard.press("Tab");
  await page.keyboard.type("Anne Lefèvre (demanderesse)\n王伟（被告）");
  for (let i = 0; i < 3; i++) await page.keyboard.press("Tab"); // judges, public, the button
  await page.keyboard.press("Enter");
  await says(page, "Recording");
  assert.equal(station.state().state, "recording");

  await page.keyboard.press("F1");
  await until("a mark by F-key", async () => (await markedLines(page)) === 1);
  await page.keyboard.press("3");
  await until("a mark by number", async () => (await markedLines(page)) === 2);
  await page.keyboard.press("m");
  await page.keyboard.type("Pièce n° 12, vidéo");
  await page.keyboard.press("F2"); // also while writing
  await until("a mark by F-key while writing", async () => (await markedLines(page)) === 3);
  await page.keyboard.press("Enter");
  await until("a mark in own words", async () => (await markedLines(page)) === 4);
  await page.keyboard.press("Escape");

  await page.keyboard.press("p");
  await page.waitForSelector("dialog .choices");
  assert.equal(await page.locator("dialog .choices button").count(), 5);
  await page.keyboard.press("Escape");
  assert.equal(await page.locator("dialog").count(), 0);
  assert.equal(station.state().state, "recording");
  await page.keyboard.press("p");
  await page.waitForSelector("dialog .choices");
  await page.keyboard.press("1");
  await says(page, "Paused");
  assert.match(await heading(page), /recess/);
  assert.deepEqual([station.state().state, station.state().hearing.pause.person], ["paused", "g-07"]);
  await page.keyboard.press("r");
  await says(page, "Recording");

  const mute = page.locator('[data-stream="mic-counsel"] .mute');
  await mute.focus();
  await page.keyboard.press("Enter");
  await page.waitForSelector('[data-stream="mic-counsel"].muted');
  await mute.focus();
  await page.keyboard.press("Space");
  await page.waitForSelector('[data-stream="mic-counsel"]:not(.muted)');

  await page.keyboard.press("e");
  await page.waitForSelector("dialog .finish-what");
  await page.keyboard.press("Enter");
  await says(page, "Ready");
  await page.waitForSelector(".finished");
  const log = station.newestLog();
  const [open, close] = [log.of("open")[0], log.of("close")[0]];
  assert.deepEqual(open.details.cases, ["(2026)京01民初88号", "RG 26/01234"]);
  assert.deepEqual(open.details.parties.map((p) => [p.name, p.role]), [["Anne Lefèvre", "demanderesse"], ["王伟", "被告"]]);
  assert.equal(open.details.title, "Vente d’immeuble");
  assert.deepEqual(log.of("mark").map((m) => m.words), ["Objection", "证据出示", "Témoin appelé", "Pièce n° 12, vidéo"]);
  assert.ok(log.of("mark").every((m) => m.person === "g-07"));
  const recess = log.of("gap").filter((g) => g.reason === "recess");
  assert.deepEqual(recess.map((g) => [g.streams, g.person]), [[["*"], "g-07"]]);
  assert.ok(log.of("gap").some((g) => g.streams.join() === "mic-counsel" && g.reason === "operator"));
  assert.ok(close && log.entries.at(-1).kind === "close");
  assert.ok(["cam-bench", "cam-witness", "mic-judge", "mic-counsel"].every((s) => log.of("segment").some((e) => e.stream === s)));

  const [sheet] = await Promise.all([page.context().waitForEvent("page"), page.click(".sheet-link")]);
  await sheet.waitForSelector("svg, table");
  assert.match(await sheet.textContent("body"), /RG 26\/01234/);
  assert.equal(await sheet.evaluate(() => document.styleSheets.length), 1, "its own style is not allowed");
  await shoot(sheet, "sheet");
  assert.equal((await sheet.evaluate(async () => (await fetch("/station/state")).status).catch(() => "refused")), "refused", "the sheet may ask nothing");
  assert.deepEqual(page.faults, []);
  await getUp(page);
});

await check("by touch, while another page follows; what cannot be done is said and stays", async () => {
  const page = await sit({ width: 390, height: 844, hasTouch: true });
  const other = await sit({ language: "zh" });
  await page.fill("#open-cases", "RG 26/00077");
  await page.tap("text=Open and record");
  await says(page, "Recording");
  await says(other, "正在录制");
  await page.tap(".phrases button");
  await until("the mark", async () => (await markedLines(page)) === 1);
  const clock = await page.textContent(".elapsed .num");
  await until("the clock runs", async () => (await page.textContent(".elapsed .num")) !== clock);
  // Both pause at once: one of them is told that it is paused already.
  await page.tap(".pause");
  await other.click(".pause");
  await other.waitForSelector("dialog .choices");
  await page.waitForSelector("dialog .choices");
  await page.tap("dialog .choices button >> nth=3");
  await says(other, "设备故障");
  await other.click("dialog .choices button >> nth=0");
  await other.waitForSelector(".notices .notice.bad");
  assert.match(await other.textContent(".notices .notice.bad"), /录制未能暂停.*paused already/);
  await other.keyboard.press("Escape");
  await other.click("text=已知悉");
  assert.equal(await other.locator(".notices .notice.bad").count(), 0);
  await page.tap(".resume");
  await says(other, "正在录制");
  assert.deepEqual([...page.faults, ...other.faults], []);
  await getUp(other);
  await getUp(page);
});

// Left open: the hearing goes on through what follows.
await check("a page of another site cannot steer the recording", async () => {
  const before = station.newestLog().entries.filter((e) => e.kind === "mark" || e.kind === "gap").length;
  const site = createServer((_, answer) => answer.setHeader("Content-Type", "text/html").end("<!doctype html><title>x</title>"));
  const port = freePort();
  await new Promise((resolve) => site.listen(port, "127.0.0.1", resolve));
  const page = await freshPage();
  await page.goto(`http://127.0.0.1:${port}/`);
  const seen = await page.evaluate(async (target) => {
    const attempt = (path, init) => fetch(target + path, init).then(async (a) => `${a.type} ${a.status} ${await a.text()}`, () => "refused");
    const out = [];
    for (const type of ["application/json", "text/plain"]) {
      out.push(await attempt("/station/mark", { method: "POST", headers: { "Content-Type": type }, body: '{"text":"foreign"}' }));
      out.push(await attempt("/station/mark", { method: "POST", mode: "no-cors", headers: { "Content-Type": type }, body: '{"text":"foreign"}' }));
    }
    out.push(await attempt("/station/state"), await attempt("/station/docket", { mode: "no-cors" }));
    const form = Object.assign(document.createElement("form"), { method: "POST", action: `${target}/station/pause`, enctype: "text/plain", target: "frame" });
    form.append(Object.assign(document.createElement("input"), { name: '{"reason":"recess","note":"', value: '"}' }));
    document.body.append(Object.assign(document.createElement("iframe"), { name: "frame" }), form);
    form.submit();
    await new Promise((resolve) => setTimeout(resolve, 500));
    return out;
  }, station.url);
  assert.ok(seen.every((s) => s === "refused" || s === "opaque 0 "), seen.join(" | "));
  await getUp(page);
  site.close();
  // A name of elsewhere that means this machine: the page of that name is of the same origin, and still sees nothing.
  const rebound = execFileSync("curl", ["-s", "-H", "Host: elsewhere.example", `${station.url}/station/state`], { encoding: "utf8" });
  assert.match(rebound, /names of this machine/);
  const state = station.state();
  assert.ok(state.hearing && !state.hearing.pause);
  assert.equal(station.newestLog().entries.filter((e) => e.kind === "mark" || e.kind === "gap").length, before);
});

await check("a station that goes away is said at once, and what it recorded goes on", async () => {
  const page = await sit();
  await says(page, "Recording");
  const hearing = station.state().hearing.id;
  await station.stop("SIGKILL");
  await says(page, "No contact", 4000);
  await shoot(page, "lost-1024");
  assert.match(await heading(page), /since \d\d:\d\d:\d\d/);
  assert.ok(await page.locator(".finish").isDisabled());
  const stopped = await page.textContent(".elapsed .num");
  await page.waitForTimeout(1500);
  assert.equal(await page.textContent(".elapsed .num"), stopped, "the clock runs although nobody knows");
  await axe(page, "lost");
  await station.start();
  await says(page, "Recording", 20_000);
  assert.equal(station.state().hearing.id, hearing);
  assert.deepEqual(page.faults, []);
  await getUp(page);
});

await check("a recorder that hangs while its page still answers is not shown as recording", async () => {
  const page = await freshPage();
  let frozen;
  await page.route("**/station/state", async (route) => {
    frozen ??= await (await route.fetch()).json();
    await route.fulfill({ json: frozen });
  });
  await page.goto(station.url);
  await says(page, "Recording");
  await says(page, "No contact", 8000);
  await getUp(page);
});

await check("a camera that ends is a fault that names it", async () => {
  await station.stop();
  execFileSync("ffmpeg", ["-v", "error", "-i", join(station.folder, "long.mp4"), "-c", "copy", "-t", "4", "-y", join(station.folder, "short.mp4")]);
  station.configure(phrases, { second: `file:${station.folder}/short.mp4` });
  await station.start();
  const page = await sit({ language: "fr" });
  await says(page, "Panne", 20_000);
  assert.match(await heading(page), /témoin/i);
  assert.match(await page.textContent('[data-stream="cam-witness"]'), /Non enregistré/);
  assert.match(await page.textContent(".lamp"), /Tout n’est pas enregistré.*témoin/);
  await axe(page, "fault");
  await noOverflow(page, "fault");
  await shoot(page, "fault-fr-1024");
  await getUp(page);
  await station.stop();
  station.configure(phrases);
  await station.start();
});

// What parts of the station add that are not part of every station: their members of the state, put in on the way.
const added = {
  lamp: { colour: "green", why: "" },
  spool: { hours_left: 31.5 },
  upload: { waiting_bytes: 48_300_000, problem: "the archive does not answer" },
};
const place = `[place]
zone = "Europe/Paris"
court = { en = "Judicial Court of Paris", fr = "Tribunal judiciaire de Paris", zh = "巴黎司法法院" }
room = { en = "Courtroom 3", fr = "Salle 3", zh = "第三法庭" }
`;
const paris = (days) => new Date(Date.now() + days * 86_400_000).toLocaleDateString("sv-SE", { timeZone: "Europe/Paris" });  // year first, in every version of Node
const list = `court,room,time,cases,parties,judge,public,title
court-a,room-3,${paris(0)} 09:30,RG 26/01234,"Anne-Charlotte de La Rochefoucauld-Lefèvre:demanderesse|SCI Les Hauts de Belleville et du Château d’Eau:défenderesse",Mme Lefèvre,oui,Vente d’immeuble
court-a,Salle 3,${paris(0)} 11:00,(2026)京01民初88号|(2026)京01民初89号,王伟：原告|北京某某房地产开发有限公司：被告,李法官,不公开,房屋买卖合同纠纷
court-a,room-4,${paris(0)} 10:00,RG 26/99999,elsewhere,,,another room
court-a,room-3,${paris(1)} 09:00,RG 26/88888,tomorrow,,,another day
court-a,room-3,${paris(0)} 14:15,RG 26/00077,M. Petit,,,
court-a,room-3,${paris(0)} 25:10,RG 26/00078,M. Grand,,,
`;
async function withMore(page, more) {
  await page.route("**/station/state", async (route) => {
    const answer = await route.fetch();
    const state = await answer.json();
    const levels = [{ peak: 140, rms: 40 }, { peak: 255, rms: 190 }];
    state.streams.filter((s) => s.medium === "audio").forEach((s, i) => Object.assign(s, { levels: levels[i] }));
    await route.fulfill({ response: answer, json: Object.assign(state, added, more.state, { hearing: state.hearing && { ...state.hearing, ...more.hearing } }) });
  });
  await page.route("**/picture.jpg", async (route) => route.fulfill({ contentType: "image/jpeg", path: join(station.folder, "picture.jpg") }));
}

await check("today's list: one touch opens; levels, pictures, alarms, and an interruption that wants an explanation", async () => {
  execFileSync("ffmpeg", ["-v", "error", "-i", join(station.folder, "long.mp4"), "-frames:v", "1", "-vf", "scale=480:-2", "-y", join(station.folder, "picture.jpg")]);
  await station.stop();
  writeFileSync(join(station.folder, "today.csv"), list);
  station.configure(`${phrases}\ndocket = "today.csv"`, { place });
  await station.start();
  const open = await sit();
  await says(open, "Recording", 20_000);
  await open.keyboard.press("e");
  await open.waitForSelector("dialog .finish-what");
  await open.keyboard.press("Enter");
  await says(open, "Ready");
  await getUp(open);
  for (const [language, width, height, scheme] of [["fr", 1024, 768, "light"], ["zh", 1440, 900, "dark"], ["en", 390, 844, "light"]]) {
    const page = await freshPage({ language, width, height, scheme });
    const more = { hearing: {}, state: {} };
    await withMore(page, more);
    await page.goto(station.url);
    await page.waitForSelector(".docket-row");
    const rows = await page.locator(".docket-row").allTextContents();
    assert.deepEqual(rows.map((row) => row.slice(0, 5)), ["09:30", "11:00", "14:15"], rows.join(" | "));
    assert.match(await page.textContent(".list-problems"), /25:10|time/);
    await until("pictures", async () => (await page.locator(".picture img").count()) === 2);
    await axe(page, `today ${language}`);
    await noOverflow(page, `today ${language}`);
    await shoot(page, `today-${language}-${width}`);
    await page.click(".docket-row >> nth=1");
    await page.waitForSelector(".is-recording");
    assert.deepEqual(station.newestLog().of("open")[0].details.parties.map((p) => p.name), ["王伟", "北京某某房地产开发有限公司"]);
    assert.equal(station.newestLog().of("open")[0].details.public, false);
    await until("pictures", async () => (await page.locator(".picture img").count()) === 2);
    const since = station.state().now;
    more.hearing = { unexplained: [{ gap: 7, from: since, to: since, reason: "power", streams: ["*"] }] };
    more.state = { streams: station.state().streams.map((s, i) => ({ ...s, ...(s.medium === "audio" && { levels: { peak: 90 * i, rms: 30 * i } }), alarms: [[], [{ kind: "frozen", since }], [{ kind: "silence", since }], []][i] })) };
    await page.waitForSelector(".notice.attention");
    assert.equal(await page.locator(".tile.alarm").count(), 2);
    assert.match(await heading(page), /2/);
    await axe(page, `alarms ${language}`);
    await noOverflow(page, `alarms ${language}`);
    await shoot(page, `alarms-${language}-${width}`);
    await page.click(".notice.attention button");
    await page.fill("#explain-text", "Coupure de courant dans tout le palais");
    await axe(page, `explain ${language}`);
    await shoot(page, `explain-${language}-${width}`);
    const [asked] = await Promise.all([page.waitForRequest("**/station/explain"), page.click("dialog .main")]);
    assert.deepEqual(asked.postDataJSON(), { gap: 7, text: "Coupure de courant dans tout le palais" });
    await page.keyboard.press("Escape");
    more.hearing = {};
    await page.click(".finish");
    await page.click("dialog .main");
    await page.waitForSelector(".is-ready");
    assert.deepEqual(page.faults, []);
    await page.unrouteAll({ behavior: "ignoreErrors" });
    await getUp(page);
  }
  const next = await sit();
  await next.waitForSelector(".docket-row");
  await next.keyboard.press("o");
  await next.waitForSelector("dialog #open-cases");
  await axe(next, "open by hand");
  await next.keyboard.type("RG 26/00077");
  await next.keyboard.press("Enter");
  await says(next, "Recording");
  await getUp(next);
});

await check("the wrong case is open: another row of the list, by keyboard alone; looked at in three languages", async () => {
  const page = await sit({ storage: { "greffe.person": "g-07" } });
  await says(page, "Recording");
  const recorded = station.newestLog();
  const subject = () => page.innerText(".subject");
  const chooseSecond = async () => {
    await page.keyboard.press("c");
    await until("the first row has the focus", () => page.evaluate(() => document.activeElement.matches("dialog .docket-row")));
    await page.keyboard.press("Tab");
    await page.keyboard.press("Enter");
    await page.waitForSelector("dialog .wrong-right");
  };
  await chooseSecond();
  const both = await page.innerText("dialog .wrong-right");
  assert.match(both, /RG 26\/00077[^]*\(2026\)京01民初88号[^]*房屋买卖合同纠纷[^]*not public/);
  assert.equal(station.newestLog().of("details").length, 0, "it was corrected before it was confirmed");
  await page.keyboard.press("Escape");
  assert.equal(await page.locator("dialog").count(), 0);
  assert.match(await subject(), /RG 26\/00077/);
  await chooseSecond();
  await page.keyboard.press("Enter");
  await until("the band shows the right case", async () => /京01民初88号[^]*not public[^]*corrected once/.test(await subject()));
  assert.equal(await page.locator("dialog").count(), 0);
  await says(page, "Recording");
  const log = station.newestLog();
  assert.equal(log.id, recorded.id);
  const [correction] = log.of("details");
  assert.deepEqual([correction.person, correction.details.cases, correction.details.public], ["g-07", ["(2026)京01民初88号", "(2026)京01民初89号"], false]);
  assert.deepEqual(log.of("open")[0].details.cases, ["RG 26/00077"]);
  // The same once more is nothing to correct, and is said.
  await chooseSecond();
  await page.keyboard.press("Enter");
  await page.waitForSelector(".notices .notice.bad");
  assert.match(await page.textContent(".notices .notice.bad"), /The case was not corrected\..*nothing to correct/);
  await page.keyboard.press("Escape");
  await page.click("text=I have read this");
  // What stands on no list.
  await page.click(".wrong-case");
  await page.click("dialog summary");
  await page.fill("dialog #open-cases", "RG 26/55555");
  await page.click("dialog .by-hand .main");
  await page.click("dialog .wrong-right ~ .buttons .main");
  await until("the second correction", async () => /RG 26\/55555[^]*corrected 2 times/.test(await subject()));
  assert.deepEqual(page.faults, []);
  await getUp(page);
  for (const [language, width, height, scheme, row] of [["fr", 1024, 768, "light", 0], ["zh", 390, 844, "dark", 1], ["en", 1440, 900, "light", 2]]) {
    const other = await sit({ language, width, height, scheme });
    await other.click(".wrong-case");
    await other.waitForSelector("dialog .docket-row");
    await axe(other, `wrong case ${language}`);
    await noOverflow(other, `wrong case ${language}`);
    await shoot(other, `wrong-choose-${language}-${width}`);
    await other.click(`dialog .docket-row >> nth=${row}`);
    await other.waitForSelector("dialog .wrong-right");
    await axe(other, `right case ${language}`);
    await noOverflow(other, `right case ${language}`);
    await shoot(other, `wrong-confirm-${language}-${width}`);
    await other.click("dialog .main");
    await until("it is corrected", async () => (await other.locator("dialog").count()) === 0);
    await axe(other, `corrected ${language}`);
    await noOverflow(other, `corrected ${language}`);
    await shoot(other, `wrong-corrected-${language}-${width}`);
    assert.deepEqual(other.faults, []);
    await getUp(other);
  }
  assert.equal(station.newestLog().of("details").length, 5);
});

const sizes = [[1440, 900], [1024, 768], [390, 844]];
await check("three languages, three widths, light and dark, while recording, paused and ready", async () => {
  const pages = [];
  for (const [i, language] of ["en", "fr", "zh"].entries()) {
    for (const [j, [width, height]] of sizes.entries()) pages.push([`${language}-${width}`, await sit({ language, width, height, scheme: (i + j) % 2 ? "dark" : "light" })]);
  }
  const look = async (state) => {
    for (const [name, page] of pages) {
      await until(`${state} ${name}`, async () => (await page.locator(`.is-${state}`).count()) === 1);
      await noOverflow(page, `${state} ${name}`);
      await axe(page, `${state} ${name}`);
      await shoot(page, `${state}-${name}`);
      // Everything that is needed stands on the first screen of the courtroom's panel.
      if (state !== "ready" && !name.endsWith("390")) {
        const low = await page.evaluate(() => Math.max(...[...document.querySelectorAll(".big button, .phrases button, .tile")].map((e) => e.getBoundingClientRect().bottom)) - innerHeight);
        assert.ok(low <= 0, `${state} ${name}: ${Math.round(low)} px below the screen`);
      }
    }
  };
  const [, first] = pages[1];
  await look("recording");
  await first.click(".pause");
  await first.waitForSelector("dialog .choices");
  await axe(first, "pause");
  await shoot(first, "pause-dialog");
  await first.click("dialog .choices button >> nth=2");
  await look("paused");
  await first.click(".finish");
  await first.waitForSelector("dialog .finish-what");
  await axe(first, "finish");
  await shoot(first, "finish-dialog");
  await first.click("dialog .main");
  await look("ready");
  assert.deepEqual(pages.flatMap(([, page]) => page.faults), []);
  for (const [, page] of pages) await getUp(page);
});

await check("on the court's network nothing is shown without the password", async () => {
  await station.stop();
  const at = (name) => join(station.folder, name);
  execFileSync("openssl", ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", at("tls.key"), "-out", at("tls.crt"), "-days", "2",
    "-subj", "/CN=room"], { stdio: "ignore" });
  writeFileSync(at("password"), "open sesame now\n", { mode: 0o644 });
  station.configure(`${phrases}\ntls_cert = "tls.crt"\ntls_key = "tls.key"\npassword_file = "password"`, { listen: `0.0.0.0:${station.port}` });
  await station.start();
  assert.match(station.log, /can be read by other users.*chmod 600/);
  await station.stop();
  chmodSync(at("password"), 0o600);
  await station.start();
  const url = `https://127.0.0.1:${station.port}`;
  const page = await sit({ url });
  await page.waitForSelector(".sign-in");
  await axe(page, "sign in");
  for (const path of ["state", "docket", "sheet", "streams/cam-bench/picture.jpg"]) {
    assert.equal(await page.evaluate(async (p) => (await fetch(`/station/${p}`)).status, path), 401, path);
  }
  await page.fill("#password", "open sesame");
  await page.keyboard.press("Enter");
  await page.waitForSelector(".notice.bad");
  await page.fill("#password", "open sesame now");
  await page.keyboard.press("Enter");
  await says(page, "Ready");
  const [cookie] = await page.context().cookies();
  assert.deepEqual([cookie.httpOnly, cookie.secure, cookie.sameSite, cookie.name], [true, true, "Strict", "__Host-greffe-station"]);
  await page.click("text=Sign out");
  await page.waitForSelector(".sign-in");
  assert.equal(await page.evaluate(async () => (await fetch("/station/state")).status), 401);
  assert.deepEqual(page.faults, []);
  await getUp(page);
});

await station.stop();
station.remove();
await finish();
