// "Verify this hearing now": signatures, entries and every object, with a progress bar and a verdict in words.
import { useEffect, useRef, useState } from "preact/hooks";
import { api } from "../api";
import { judge } from "../hearing/badge";
import { ProofPanel } from "../hearing/proof";
import { Room } from "../hearing/room";
import { t } from "../i18n";
import { Icon } from "../parts/icons";
import { pageMemory } from "../parts/memory";
import { Notice } from "../parts/notice";
import { Panel } from "../parts/panel";
import { useWatch } from "../parts/watch";

const kId = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/i;

export function VerifyHearing({ start }: { start: string }) {
  const [typed, setTyped] = useState(start);
  const [room, setRoom] = useState<Room | undefined>();
  const [error, setError] = useState<unknown>();
  const [wrong, setWrong] = useState(false);
  const opened = useRef<Room | undefined>();
  useEffect(() => () => opened.current?.close(), []);

  const run = async (event: Event) => {
    event.preventDefault();
    const id = kId.exec(typed)?.[0]?.toLowerCase();
    setWrong(!id);
    if (!id) return;
    opened.current?.close();
    setRoom(undefined);
    setError(undefined);
    try {
      const [hearing, timeline] = await Promise.all([api.hearing(id), api.timeline(id)]);
      opened.current = new Room(hearing, timeline, pageMemory);
      setRoom(opened.current);
      void opened.current.checkAll();
    } catch (e) {
      setError(e);
    }
  };
  return (
    <Panel title={t("audit.verify")} wide>
      <form class="entry-filter" onSubmit={run}>
        <label>{t("audit.verify-which")}
          <input value={typed} size={40} aria-invalid={wrong} onInput={(e) => setTyped(e.currentTarget.value)} />
        </label>
        <button class="main">{t("audit.verify-now")}</button>
      </form>
      {wrong && <p class="bad-text" role="alert">{t("audit.verify-wrong")}</p>}
      {error !== undefined && <Notice error={error} what={t("audit.verify")} />}
      {room && <Result room={room} />}
    </Panel>
  );
}

function Result({ room }: { room: Room }) {
  useWatch(room, () => JSON.stringify(judge(room)));
  const now = judge(room);
  return (
    <div class="verify-result">
      <p><a href={`/?hearing=${room.hearing.id}`}>{room.hearing.cases.join(t("list.comma"))} · {room.hearing.title}</a></p>
      <p class={`badge ${now.colour}`} data-badge={now.colour}><Icon name={now.sign} /><span><strong>{now.text}</strong>{now.more && <small>{now.more}</small>}</span></p>
      <ProofPanel room={room} />
    </div>
  );
}
