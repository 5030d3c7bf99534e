// An archive that goes on at its second site, in a browser that knows the keys of before: what was filed before, across and after the promotion
// is proven, and a promotion that officers did not sign is told in the reader's language. Against the site of promoted_site.py.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { badgeText, check, demo, filedAs, findings, finish, getUp, openHearing, sitDown, until, untilBadge, url } from "./world.mjs";

const keys = JSON.parse(readFileSync(join(demo, "keys.json"), "utf8"));

// As on the day before: the keys were seen at the first site.
async function remembering(who, language = "en") {
  const page = await sitDown(who, { language });
  const pins = JSON.stringify({ keys, since: "2026-11-01T09:00:00.000Z" });
  await page.context().addInitScript((value) => localStorage.setItem("greffe.pinned-keys", value), pins);
  return page;
}

const link = (page, title) => page.locator(".chain li", { hasText: title });

for (const name of ["before", "across", "after"]) {
  await check(`what was filed ${name} the promotion is whole, from the keys of before`, async () => {
    const page = await remembering("claire");
    await openHearing(page, filedAs(name));
    assert.deepEqual(await findings(page), []);
    await untilBadge(page, "good");
    await page.click("button.badge");
    const went = link(page, "The archive goes on at another site");
    assert.equal(await went.getAttribute("class"), "good");
    assert.match(await went.innerText(), /two officers of the court \(officer-1, officer-2\) signed what the archive goes on from.* part 2 since/s);
    assert.equal(await link(page, "Receipt of the archive").getAttribute("class"), "good");
    assert.deepEqual(page.faults, []);
    await getUp(page);
  });
}

await check("somebody who comes for the first time sees the same", async () => {
  const page = await sitDown("claire");
  await openHearing(page, filedAs("after"));
  assert.deepEqual(await findings(page), []);
  await untilBadge(page, "good");
  await getUp(page);
});

const said = {
  en: /^Altered.*Part 2 of the register of archive\.test\.example, begun at another site, does not go on from the one before/s,
  fr: /La partie 2 du registre de archive\.test\.example, commencée sur un autre site, ne continue pas la précédente/,
  zh: /archive\.test\.example 登记簿第 2 部分（由另一站点开始）未接续前一部分/,
};
for (const [language, words] of Object.entries(said)) {
  await check(`a promotion without one officer's entry, in ${language}`, async () => {
    const page = await remembering("claire", language);
    await page.route("**/v1/hearings/*/proof", async (route) => {
      const answer = await route.fetch();
      const proof = await answer.json();
      proof.epochs[0].officer_entries.pop();
      await route.fulfill({ contentType: "application/json", body: JSON.stringify(proof) });
    });
    await openHearing(page, filedAs("after"));
    await untilBadge(page, "bad");
    assert.match(await badgeText(page), words);
    assert.deepEqual(page.faults, []);
    await getUp(page);
  });
}

await check("the auditor's page: the newest state follows from the keys of before, and single entries are proven", async () => {
  const page = await remembering("rosa");
  await page.goto(`${url}/?page=audit`);
  await page.waitForSelector(".entry-list > li");
  assert.equal(await page.locator(".panels .bad-text").count(), 0, await page.innerText(".panels"));
  await page.selectOption(".entry-filter select", "promotion");
  await until("the certificate", async () => (await page.locator(".entry-list > li").count()) === 1);
  await page.locator(".entry-list summary").click();
  await page.click("text=Prove that it is in the log");
  await page.waitForSelector(".hashes");
  assert.equal(await page.locator(".entry-list .bad-text").count(), 0);
  await page.selectOption(".entry-filter select", "genesis");
  await until("the first entry of all", async () => (await page.locator(".entry-index").allInnerTexts()).join() === "0");
  await page.locator(".entry-list summary").click();
  assert.match(await page.innerText(".entry-list"), /In an earlier part of the register/);
  assert.deepEqual(page.faults, []);
  await getUp(page);
});

await finish();
