// A server that lies, in front of the real archive: it alters what it hands on, as consistently as it can. Every lie must
// turn the badge red and be told with stream, time and what differs; the truth told through the same go-between is green.
import assert from "node:assert/strict";
import { createHash, createPrivateKey, sign } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { badgeText, clock, demo, filedAs, findings, finish, getUp, long, openHearing, sitDown, together, until, untilBadge, url, wallOf } from "./world.mjs";

const sha256 = (bytes) => createHash("sha256").update(bytes).digest();
const leafHash = (entry) => sha256(Buffer.concat([Buffer.of(0), entry]));

function rootOf(leaves) {
  if (leaves.length === 1) return leaves[0];
  let half = 1;
  while (half * 2 < leaves.length) half *= 2;
  return sha256(Buffer.concat([Buffer.of(1), rootOf(leaves.slice(0, half)), rootOf(leaves.slice(half))]));
}

// What the archive says truthfully, read once; each lie changes a copy of it.
const clerk = await sitDown("claire");
const get = async (path) => {
  const answer = await clerk.context().request.get(`${url}${path}`);
  assert.equal(answer.status(), 200, path);
  return answer.body();
};
const { start } = JSON.parse(await get(`/v1/hearings/${long}/timeline`));
const marked = await clerk.context().request.post(`${url}/v1/hearings/${long}/marks`,
  { data: { at: new Date(Date.parse(start) + 30_000).toISOString(), text: "Pièce 4" }, headers: { Origin: url } });
assert.equal(marked.status(), 201, await marked.text());
const timeline = JSON.parse(await get(`/v1/hearings/${long}/timeline`));
const hearing = JSON.parse(await get(`/v1/hearings/${long}`)); // a stream may begin a moment before it
const proof = JSON.parse(await get(`/v1/hearings/${long}/proof`));
const count = timeline.log_size;
const entries = unbundle(await get(`/v1/log/hearing/${long}/tile/entries/000.p/${count}`));
await getUp(clerk);

function unbundle(bundle) {
  const out = [];
  for (let at = 0; at < bundle.length; at += 2 + bundle.readUInt16BE(at)) out.push(bundle.subarray(at + 2, at + 2 + bundle.readUInt16BE(at)));
  return out;
}
const bundle = (list) => Buffer.concat(list.flatMap((e) => [Buffer.of(e.length >> 8, e.length & 255), e]));
const json = (value) => ({ contentType: "application/json", body: JSON.stringify(value) });
const raw = (body) => ({ contentType: "application/octet-stream", body });
const kindAt = (index) => JSON.parse(entries[index].toString()).kind;

// Routes of one lie: what is not named is handed on as it is.
async function lie(page, { newTimeline, newProof, newEntries, newLeaves, objects }) {
  const answer = (pattern, what) => page.route(pattern, (route) => route.fulfill(what));
  if (newTimeline) await answer(`**/v1/hearings/${long}/timeline`, json(newTimeline));
  if (newProof) await answer(`**/v1/hearings/${long}/proof`, json(newProof));
  if (newEntries) await answer(`**/v1/log/hearing/${long}/tile/entries/**`, raw(bundle(newEntries)));
  if (newLeaves) await answer(`**/v1/log/hearing/${long}/tile/0/**`, raw(Buffer.concat(newLeaves)));
  for (const [digest, body] of Object.entries(objects ?? {})) await answer(`**/objects/${digest}.mp4`, raw(body));
}

// A stretch in the middle of the first camera, and the same stretch of another one.
const bench = timeline.streams.find((s) => s.name === "cam-bench");
const victim = bench.segments[3];
const donor = bench.segments[5];
const object = async (segment) => {
  const page = await sitDown("claire");
  const answer = await page.context().request.get(`${url}/v1/hearings/${long}/objects/${segment.sha256}.mp4`);
  const body = await answer.body();
  await getUp(page);
  return body;
};
const copy = (value) => JSON.parse(JSON.stringify(value));

const lies = [];

// Opens the hearing behind the lie; gives what the badge and the proof say, and looks that playing goes on.
async function told(what, before) {
  const page = await sitDown("claire");
  if (before) await before(page);
  await lie(page, what);
  await openHearing(page);
  const inBytes = what.objects && !what.newEntries; // else the signatures tell it, before any object is loaded
  if (!inBytes) await untilBadge(page, "bad");
  const found = await findings(page, inBytes);
  await untilBadge(page, "bad");
  const badge = await badgeText(page);
  assert.match(badge, /^Altered/);
  assert.ok(found.some((line) => badge.includes(line)), `the badge does not name the first finding: ${badge} / ${found}`);
  await page.click(".play");
  const from = await wallOf(page);
  await until("the clock goes on", async () => (await wallOf(page)) > from + 1000);
  assert.deepEqual(page.faults, []);
  await getUp(page);
  console.log(`     ${found.slice(0, 3).join("\n     ")}`);
  return found;
}

lies.push(["the truth through the go-between is green", async () => {
  const page = await sitDown("claire");
  await lie(page, { newTimeline: timeline, newProof: proof, newEntries: entries, newLeaves: entries.map(leafHash), objects: { [victim.sha256]: await object(victim) } });
  await openHearing(page);
  assert.deepEqual(await findings(page), []);
  await untilBadge(page, "good");
  await getUp(page);
}]);

const place = (segment) => `Camera: bench from ${clock(segment.utc)} to`;

lies.push(["a flipped byte", async () => {
  const body = await object(victim);
  body[Math.floor(body.length / 2)] ^= 1;
  const found = await told({ objects: { [victim.sha256]: body } });
  assert.equal(found.length, 1);
  assert.match(found[0], new RegExp(`^${place(victim)}.*SHA-256 differs`));
}]);

lies.push(["a replaced object: another stretch's own valid bytes", async () => {
  const found = await told({ objects: { [victim.sha256]: await object(donor) } });
  assert.equal(found.length, 1);
  assert.match(found[0], new RegExp(`^${place(victim)}.*SHA-256 differs`));
}]);

lies.push(["a replaced object that the timeline names too", async () => {
  const newTimeline = copy(timeline);
  newTimeline.streams.find((s) => s.name === "cam-bench").segments[3].sha256 = donor.sha256;
  const found = await told({ newTimeline });
  assert.equal(found.length, 1);
  assert.match(found[0], new RegExp(`^Camera: bench at ${clock(victim.utc)}: the digest`));
}]);

// The forged bytes are a valid recording; timeline and entry name their digest, and carry their size.
async function forged() {
  const body = Buffer.from(await object(donor));
  body[body.length - 1] ^= 1;
  const digest = sha256(body).toString("hex");
  const newTimeline = copy(timeline);
  Object.assign(newTimeline.streams.find((s) => s.name === "cam-bench").segments[3], { sha256: digest, bytes: body.length });
  const newEntries = [...entries];
  const entry = entries[victim.index].toString();
  newEntries[victim.index] = Buffer.from(entry.replace(victim.sha256, digest).replace(`"bytes":${victim.bytes}`, `"bytes":${body.length}`));
  assert.notEqual(newEntries[victim.index].toString(), entry);
  return { newTimeline, newEntries, objects: { [digest]: body } };
}

lies.push(["object, timeline and entry altered together", async () => {
  const found = await told(await forged());
  assert.equal(found.length, 1);
  assert.match(found[0], new RegExp(`^Camera: bench at ${clock(victim.utc)}: its entry \\(${victim.index}\\) was changed`));
}]);

lies.push(["object, timeline, entry and tree altered together", async () => {
  const made = await forged();
  const found = await told({ ...made, newLeaves: made.newEntries.map(leafHash) });
  assert.match(found[0], new RegExp(`^The list of what was recorded is not the one that was signed.*all streams from ${clock(hearing.start)} to ${clock(hearing.end)}`));
}]);

lies.push(["... and a checkpoint for it, without the recorder's key", async () => {
  const made = await forged();
  const newLeaves = made.newEntries.map(leafHash);
  const newProof = copy(proof);
  newProof.hearing_checkpoint = proof.hearing_checkpoint.replace(/\n[^\n]*\n\n/, `\n${rootOf(newLeaves).toString("base64")}\n\n`);
  const found = await told({ ...made, newLeaves, newProof });
  assert.match(found[0], new RegExp(`not signed by the recorder.*all streams from ${clock(hearing.start)} to ${clock(hearing.end)}`));
}]);

lies.push(["an edited entry: the time of a stretch, in the entry and on the timeline", async () => {
  const later = new Date(Date.parse(victim.utc) + 60_000).toISOString();
  const newTimeline = copy(timeline);
  newTimeline.streams.find((s) => s.name === "cam-bench").segments[3].utc = later;
  const newEntries = [...entries];
  newEntries[victim.index] = Buffer.from(entries[victim.index].toString().replace(victim.utc, later));
  const found = await told({ newTimeline, newEntries });
  assert.match(found[0], new RegExp(`^Camera: bench at ${clock(later)}: its entry \\(${victim.index}\\) was changed`));
}]);

lies.push(["an edited entry: the reason of an interruption", async () => {
  const gap = timeline.gaps.find((g) => g.reason === "recess");
  const newTimeline = copy(timeline);
  newTimeline.gaps.find((g) => g.index === gap.index).reason = "mediation";
  const newEntries = [...entries];
  newEntries[gap.index] = Buffer.from(entries[gap.index].toString().replace("recess", "mediation"));
  const found = await told({ newTimeline, newEntries });
  assert.match(found[0], new RegExp(`^The interruption at ${clock(gap.from)}: its entry \\(${gap.index}\\) was changed`));
}]);

// The archive's state as it was when the list had `size` entries: the station signed every one of its states, and its
// signature of that state is computed here with its own key, as the bytes that it gave away then.
function cutTo(size) {
  const key = createPrivateKey(readFileSync(join(demo, "stations/montclair-salle-2/spool/station.key")));
  const [origin] = proof.hearing_checkpoint.split("\n");
  const newLeaves = entries.slice(0, size).map(leafHash);
  const text = `${origin}\n${size}\n${rootOf(newLeaves).toString("base64")}\n`;
  const line = proof.hearing_checkpoint.split("\n").find((l) => l.startsWith(`\u2014 ${origin} `)).split(" ");
  const id = Buffer.from(line[2], "base64").subarray(0, 4);
  const newProof = copy(proof);
  newProof.hearing_checkpoint = `${text}\n\u2014 ${origin} ${Buffer.concat([id, sign(null, Buffer.from(text), key)]).toString("base64")}\n`;
  const newTimeline = copy(timeline);
  newTimeline.log_size = size;
  for (const stream of newTimeline.streams) stream.segments = stream.segments.filter((s) => s.index < size);
  newTimeline.gaps = timeline.gaps.filter((g) => g.index < size);
  newTimeline.peaks = timeline.peaks.filter((p) => p.index < size);
  const ends = newTimeline.streams.flatMap((s) => s.segments.map((x) => Date.parse(x.utc) + x.duration_90k / 90));
  newTimeline.end = new Date(Math.floor(Math.max(...ends))).toISOString();
  return { newTimeline, newProof, newEntries: entries.slice(0, size), newLeaves };
}
const cutSize = timeline.streams[0].segments.at(-3).index;
assert.equal(kindAt(count - 1), "close");

lies.push(["a cut tail: list, tree, timeline and checkpoint end earlier", async () => {
  const made = cutTo(cutSize);
  const found = await told(made);
  const at = clock(made.newTimeline.end);
  assert.match(found[0], new RegExp(`^All streams after ${at}: the end is cut off; ${count} entries were filed, only ${cutSize}`));
}]);

lies.push(["a cut tail, and the register denied", async () => {
  const made = cutTo(cutSize);
  delete made.newProof.checkpoint_entry;
  const found = await told(made);
  assert.match(found[0], new RegExp(`^All streams after ${clock(made.newTimeline.end)}: the hearing is shown as finished`));
}]);

lies.push(["a cut tail that this computer has seen whole", async () => {
  const made = cutTo(cutSize);
  delete made.newProof.checkpoint_entry;
  made.newTimeline.live = true;
  const found = await told(made, async (page) => {
    await openHearing(page);
    await page.click(".play");
    await untilBadge(page, "good");
  });
  assert.match(found[0], new RegExp(`^All streams after ${clock(made.newTimeline.end)}: the end is cut off; ${count} entries were filed`));
}]);

lies.push(["a cut tail shown as unfinished to a computer that never saw it is not green", async () => {
  const made = cutTo(cutSize);
  made.newTimeline.live = true;
  delete made.newProof.checkpoint_entry;
  const page = await sitDown("claire");
  await lie(page, made);
  await openHearing(page);
  await untilBadge(page, "attention");
  assert.deepEqual(await findings(page, false), []);
  await untilBadge(page, "attention");
  await getUp(page);
}]);

lies.push(["only the timeline ends earlier", async () => {
  const { newTimeline } = cutTo(cutSize);
  const hidden = timeline.streams.flatMap((s) => s.segments.filter((x) => x.index >= cutSize).map((x) => x.utc));
  const found = await told({ newTimeline });
  assert.equal(found.filter((line) => line.includes("recorded and signed, but not shown")).length, hidden.length);
  assert.ok(found.some((line) => line.includes(clock(hidden[0]))));
}]);

lies.push(["an interruption that hides what was recorded", async () => {
  const newTimeline = copy(timeline);
  const gap = { ...newTimeline.gaps[0], index: victim.index, from: victim.utc, to: donor.utc };
  newTimeline.gaps.push(gap);
  newTimeline.streams.find((s) => s.name === "cam-bench").segments.splice(3, 1);
  const found = await told({ newTimeline });
  assert.ok(found.some((line) => line.startsWith(`Camera: bench at ${clock(victim.utc)}: recorded and signed, but not shown`)), found);
  assert.ok(found.some((line) => line.startsWith(`An interruption at ${clock(victim.utc)} is shown, but was never signed`)), found);
}]);

lies.push(["a mark of the courtroom with other words", async () => {
  const newTimeline = copy(timeline);
  const mark = newTimeline.marks.find((m) => m.text === "Objection de la défense");
  mark.text = "Accord de la défense";
  mark.document = mark.document.replace("Objection", "Accord");
  const found = await told({ newTimeline });
  assert.deepEqual(found, [`The mark at ${clock(mark.at)} (“Accord de la défense”) is shown otherwise than it was made.`]);
}]);

lies.push(["a mark that was added later, denied and invented", async () => {
  const added = timeline.marks.find((m) => m.origin === "archive");
  const newTimeline = copy(timeline);
  newTimeline.marks = newTimeline.marks.filter((m) => m.id !== added.id);
  let found = await told({ newTimeline });
  assert.deepEqual(found, [`A mark was made at ${clock(added.at)}, but is not shown.`]);
  const other = copy(timeline);
  other.marks.push({ ...added, id: "archive-1", index: 1, text: "never said" });
  found = await told({ newTimeline: other });
  assert.deepEqual(found, [`The mark at ${clock(added.at)} (“never said”) was never made.`]);
}]);

// A hearing that was corrected; its answer hides that, or shows another correction than the one that was made.
const corrected = filedAs("short-06");
lies.push(["case details: another number, a correction denied, a reason changed", async () => {
  const page = await sitDown("claire");
  const post = (path, data) => page.context().request.post(`${url}${path}`, { data, headers: { Origin: url } });
  const before = await (await page.context().request.get(`${url}/v1/hearings/${corrected}`)).json();
  const answer = await post(`/v1/hearings/${corrected}/details`, { details: { ...before.details, title: "Titre rectifié" }, reason: "Erreur de saisie" });
  assert.equal(answer.status(), 200, await answer.text());
  const hearing = await (await page.context().request.get(`${url}/v1/hearings/${corrected}`)).json();
  await openHearing(page, corrected);
  assert.deepEqual(await findings(page), []);
  await getUp(page);
  const tell = async (change, expected) => {
    const other = await sitDown("claire");
    const altered = copy(hearing);
    change(altered);
    await other.route(`**/v1/hearings/${corrected}`, (route) => route.fulfill(json(altered)));
    await openHearing(other, corrected);
    await untilBadge(other, "bad");
    assert.match((await findings(other, false))[0], expected);
    await getUp(other);
  };
  await tell((h) => { h.cases = h.details.cases = ["RG 99/99999"]; }, /^The details or the reason are shown otherwise than they were corrected on /);
  await tell((h) => {
    const last = h.corrections.pop();
    Object.assign(h, last.before, { details: last.before, details_document: last.document });
  }, /^The details were corrected on .*, but the correction is not shown/);
  await tell((h) => { h.corrections.at(-1).reason = "Sur ordre"; }, /^The details or the reason are shown otherwise/);
}]);

await together(lies, 2);
await finish();
