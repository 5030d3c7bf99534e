// Somebody with access to the disks alters what is stored, on all volumes, while the archive is stopped. Started again,
// the archive must refuse to serve it or the page must say what is wrong, where. The demo's folder is spoilt afterwards.
import assert from "node:assert/strict";
import { createHash, createPrivateKey, sign } from "node:crypto";
import { spawnSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { axe, badgeText, check, clock, demo, findings, finish, forgetSessions, getUp, long, openHearing, sitDown, site, until, untilBadge, url, wallOf } from "./world.mjs";

const volumes = ["a", "b", "c"].map((name) => join(demo, "primary/volumes", name));
const hearingLog = join("log/hearing", logDay(long), long);
const sha256 = (bytes) => createHash("sha256").update(bytes).digest();

function logDay(id) {
  const ms = parseInt(id.replaceAll("-", "").slice(0, 12), 16);
  return new Date(ms).toISOString().slice(0, 10).replaceAll("-", "/");
}

// What a test changes is put back after it, so that each begins with a whole archive.
const kept = new Map();
function change(path, bytes) {
  if (!kept.has(path)) kept.set(path, existsSync(path) ? readFileSync(path) : undefined);
  mkdirSync(dirname(path), { recursive: true });
  if (existsSync(path)) chmodSync(path, 0o600);
  if (bytes === undefined) rmSync(path, { force: true });
  else writeFileSync(path, bytes);
}
function putBack() {
  for (const [path, bytes] of kept) {
    rmSync(path, { force: true });
    if (bytes !== undefined) {
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, bytes);
    }
  }
  kept.clear();
}

// The archive is stopped, `alter` done, the archive started again; `look` sees what comes of it.
async function afterwards(alter, look) {
  site("stop");
  forgetSessions();
  alter();
  try {
    await look();
  } finally {
    site("stop");
    putBack();
  }
}

// The start must fail, for the reason expected; gives what the archive said.
function refusal(expected) {
  const done = spawnSync(fileURLToPath(new URL("../../packaging/demo/site", import.meta.url)), ["start", demo], { encoding: "utf8" });
  assert.notEqual(done.status, 0, "the archive started as if nothing had happened");
  const said = expected.exec(done.stderr);
  assert.ok(said, `the archive did not start, but for another reason: ${done.stderr}`);
  return said[0];
}

async function red(expected) {
  const page = await sitDown("claire");
  await openHearing(page);
  const found = await findings(page);
  await untilBadge(page, "bad");
  console.log(`     ${found.slice(0, 3).join("\n     ")}`);
  assert.ok(expected.test(found[0]), `${expected} is not what is found: ${found}`);
  assert.ok((await badgeText(page)).includes(found[0]));
  await page.click(".play");
  const from = await wallOf(page);
  await until("the clock goes on", async () => (await wallOf(page)) > from + 1000);
  await getUp(page);
}

const page = await sitDown("claire");
await openHearing(page); // the whole archive, before anything is done to it
assert.deepEqual(await findings(page), []);
await untilBadge(page, "good");
const timeline = await page.evaluate(async (id) => (await fetch(`/v1/hearings/${id}/timeline`)).json(), long);
const hearing = await page.evaluate(async (id) => (await fetch(`/v1/hearings/${id}`)).json(), long);
const proof = await page.evaluate(async (id) => (await fetch(`/v1/hearings/${id}/proof`)).json(), long);
await getUp(page);
const victim = timeline.streams.find((s) => s.name === "cam-bench").segments[3];
const objectPath = (volume, digest) => join(volume, "sha256", digest.slice(0, 2), digest.slice(2, 4), digest);

await check("an object with one byte changed on all three volumes", () => afterwards(() => {
  const holders = volumes.filter((volume) => existsSync(objectPath(volume, victim.sha256)));
  assert.equal(holders.length, 3);
  for (const volume of holders) {
    const bytes = readFileSync(objectPath(volume, victim.sha256));
    bytes[bytes.length >> 1] ^= 1;
    change(objectPath(volume, victim.sha256), bytes);
  }
}, async () => {
  site("start");
  await red(new RegExp(`^Camera: bench from ${clock(victim.utc)} to .*: every copy that the archive has of this stretch is damaged`));
}));

await check("an object replaced by another one's bytes on all three volumes", () => afterwards(() => {
  const donor = timeline.streams.find((s) => s.name === "cam-bench").segments[5];
  for (const volume of volumes) change(objectPath(volume, victim.sha256), readFileSync(objectPath(volume, donor.sha256)));
}, async () => {
  site("start");
  await red(new RegExp(`^Camera: bench from ${clock(victim.utc)} to .*: every copy that the archive has of this stretch is damaged`));
}));

const partial = (size) => [join(hearingLog, `tile/entries/000.p/${size}`), join(hearingLog, `tile/0/000.p/${size}`)];
const count = timeline.log_size;

await check("an entry edited in the stored list on all three volumes", () => afterwards(() => {
  const later = new Date(Date.parse(victim.utc) + 3_000).toISOString();
  for (const volume of volumes) {
    const path = join(volume, partial(count)[0]);
    const edited = readFileSync(path, "latin1").replaceAll(victim.utc, later);
    change(path, Buffer.from(edited, "latin1"));
  }
}, async () => {
  site("start");
  const page = await sitDown("claire");
  await page.goto(`${url}/?hearing=${long}`);
  await page.waitForSelector("[data-badge=bad]");
  const told = await page.textContent(".hearing-head");
  console.log(`     ${told}`);
  for (const words of ["Lefèvre", clock(hearing.start), clock(hearing.end), "not the one that was signed"]) assert.ok(told.includes(words), told);
  assert.equal(await page.locator("video").count(), 0);
  await getUp(page);
}));

// The list as it was before its last entries, with the signature that the recorder gave to that state.
const cutSize = timeline.streams[0].segments.at(-3).index;
function cutList() {
  const bundle = readFileSync(join(volumes[0], partial(count)[0]));
  let end = 0;
  const leaves = [];
  for (let i = 0; i < cutSize; i++) {
    const length = bundle.readUInt16BE(end);
    leaves.push(sha256(Buffer.concat([Buffer.of(0), bundle.subarray(end + 2, end + 2 + length)])));
    end += 2 + length;
  }
  const root = (list) => {
    if (list.length === 1) return list[0];
    let half = 1;
    while (half * 2 < list.length) half *= 2;
    return sha256(Buffer.concat([Buffer.of(1), root(list.slice(0, half)), root(list.slice(half))]));
  };
  const [origin] = proof.hearing_checkpoint.split("\n");
  const id = Buffer.from(proof.hearing_checkpoint.split("\n").find((l) => l.startsWith(`\u2014 ${origin} `)).split(" ")[2], "base64").subarray(0, 4);
  const text = `${origin}\n${cutSize}\n${root(leaves).toString("base64")}\n`;
  const key = createPrivateKey(readFileSync(join(demo, "stations/montclair-salle-2/spool/station.key")));
  const note = `${text}\n\u2014 ${origin} ${Buffer.concat([id, sign(null, Buffer.from(text), key)]).toString("base64")}\n`;
  return { note, entries: bundle.subarray(0, end), hashes: Buffer.concat(leaves) };
}

await check("the tail of a hearing's list cut on all three volumes", () => afterwards(() => {
  const cut = cutList();
  for (const volume of volumes) {
    for (const path of partial(count)) change(join(volume, path), undefined);
    change(join(volume, partial(cutSize)[0]), cut.entries);
    change(join(volume, partial(cutSize)[1]), cut.hashes);
    change(join(volume, hearingLog, "checkpoint"), cut.note);
  }
}, async () => {
  site("start");
  const last = timeline.streams.flatMap((s) => s.segments).filter((s) => s.index < cutSize).map((s) => Date.parse(s.utc) + s.duration_90k / 90);
  await red(new RegExp(`^All streams after ${clock(new Date(Math.max(...last)).toISOString())}: the end is cut off; ${count} entries were filed, only ${cutSize} are shown`));
}));

// All of the register is in its stage as long as it is short.
function mainStage() {
  const names = readdirSync(join(volumes[0], "log/main/stage"));
  assert.ok(names.every((name) => name.startsWith("0-")), "this demo's register has grown past 256 entries: make a fresh demo");
  return names.map((name) => join("log/main/stage", name));
}

await check("an entry edited in the archive's register on all three volumes: it does not start", () => afterwards(() => {
  for (const volume of volumes) {
    for (const path of mainStage()) {
      const text = readFileSync(join(volume, path), "latin1");
      assert.ok(text.includes('"role":"station"'));
      change(join(volume, path), Buffer.from(text.replace('"role":"station"', '"role":"stati0n"'), "latin1"));
    }
  }
}, async () => {
  const said = refusal(/log\/main: the head says \d+ entries with the root [0-9a-f]+, and what is stored does not lead there/);
  console.log(`     ${said}`);
}));

await check("the tail of the archive's register cut on all three volumes: it does not start", () => afterwards(() => {
  const cosigned = readdirSync(join(volumes[0], "log/main/cosigned")).map((name) => join(volumes[0], "log/main/cosigned", name))[0];
  const older = readFileSync(cosigned, "utf8");
  const [, size, root] = older.split("\n");
  const [path] = mainStage();
  const stage = readFileSync(join(volumes[0], path));
  let end = 0;
  for (let i = 0; i < Number(size); i++) end += 2 + stage.readUInt16BE(end);
  assert.ok(end < stage.length, "nothing was filed since the second site signed");
  for (const volume of volumes) {
    for (const old of mainStage()) change(join(volume, old), undefined);
    change(join(volume, `log/main/stage/0-${size}-${Buffer.from(root, "base64").toString("hex")}`), stage.subarray(0, end));
    change(join(volume, "log/main/checkpoint"), older);
  }
}, async () => {
  const said = refusal(/the pool's main log has \d+ entries, but this machine has published .*an older state of the pool was put in place/);
  console.log(`     ${said}`);
}));

await check("a volume that is gone is told in the operator's language", async () => {
  site("stop");
  forgetSessions();
  renameSync(volumes[2], `${volumes[2]}.gone`);
  try {
    site("start");
    for (const [language, words] of [["en", "A volume cannot be reached"], ["fr", "Un volume est inaccessible"], ["zh", "存储卷无法访问"]]) {
      const page = await sitDown("operator", { language });
      await page.goto(`${url}/?page=status`);
      const reason = page.locator(".reasons li", { hasText: volumes[2] });
      await reason.waitFor();
      assert.ok((await reason.textContent()).includes(words));
      // All but what the archive quotes verbatim is in that language.
      await reason.locator("code").evaluateAll((quotes) => quotes.forEach((quote) => quote.remove()));
      if (language !== "en") assert.doesNotMatch(await reason.textContent(), /\b(is|the|volume is|Look)\b/);
      await axe(page, "status");
      await getUp(page);
    }
  } finally {
    site("stop");
    renameSync(`${volumes[2]}.gone`, volumes[2]);
  }
});

await check("put back, everything is green again", async () => {
  site("start");
  const page = await sitDown("claire");
  await openHearing(page);
  assert.deepEqual(await findings(page), []);
  await untilBadge(page, "good");
  await getUp(page);
});

await finish();
