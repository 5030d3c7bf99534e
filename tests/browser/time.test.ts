// Days of a court as moments.
import assert from "node:assert/strict";
import { test } from "node:test";
import { dayOf, endOfDay, toUtc } from "../../web/ui/src/time";

test("the end of a day is the last moment of that day in the court's zone, whatever the clocks do that day", () => {
  assert.equal(toUtc(endOfDay("2026-11-22", "Asia/Shanghai")), "2026-11-22T15:59:59.999Z");
  assert.equal(toUtc(endOfDay("2026-11-22", "Europe/Paris")), "2026-11-22T22:59:59.999Z");
  assert.equal(toUtc(endOfDay("2026-11-22", "UTC")), "2026-11-22T23:59:59.999Z");
  for (const zone of ["Europe/Paris", "America/New_York", "Pacific/Kiritimati", "Asia/Urumqi"]) {
    for (const day of ["2026-03-28", "2026-03-29", "2026-10-25", "2026-11-01", "2026-12-31"]) {
      const end = endOfDay(day, zone);
      assert.equal(dayOf(end, zone), day, `${day} ${zone}`);
      assert.notEqual(dayOf(end + 1, zone), day, `${day} ${zone}`);
    }
  }
});
