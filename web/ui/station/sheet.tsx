// The closing sheet of the hearing that was just finished, or of the last one.
import { useEffect, useState } from "preact/hooks";
import { language, t } from "../src/i18n";
import { Icon } from "../src/parts/icons";
import type { Finished } from "./actions";

const kAgainMs = 1000;
const kMostTries = 10;

const exists = (path: string) => fetch(path, { method: "HEAD", cache: "no-store" }).then((answer) => answer.ok, () => false);

export function Sheet({ finished }: { finished: Finished | undefined }) {
  const path = finished ? `/station/sheet/${finished.hearing}` : "/station/sheet";
  const [found, setFound] = useState<"looking" | "there" | "none">("looking");
  useEffect(() => {
    let over = false;
    const look = async (tries: number) => {
      const there = await exists(path);
      if (over) return;
      if (there) setFound("there");
      else if (finished && tries > 1) setTimeout(() => void look(tries - 1), kAgainMs);
      else setFound("none");
    };
    setFound("looking");
    void look(kMostTries);
    return () => {
      over = true;
    };
  }, [path]);
  const link = found === "there" && (
    <a class="sheet-link" href={`${path}?language=${language()}`} target="_blank" rel="noopener">{t(finished ? "sheet.open" : "sheet.last")}</a>
  );
  if (!finished) return link ? <p class="last-sheet">{link}</p> : null;
  return (
    <div class="finished" role="status">
      <Icon name="check" class="good-text" />
      <div>
        <strong>{t("finish.done", { cases: finished.cases.join(t("list.comma")) || t("station.no-case") })}</strong>
        <p>{link || t(found === "looking" ? "sheet.waiting" : "sheet.none")}</p>
      </div>
    </div>
  );
}
