// Components that follow something which changes by itself (a player, a check) and draw again only when it matters.
import { useEffect, useState } from "preact/hooks";

export interface Watched { onChange(listener: () => void): () => void }

// Draws again when the text that `look` makes of it differs from the last one.
export function useWatch(watched: Watched, look: () => string): void {
  const [, redraw] = useState(0);
  useEffect(() => {
    let last = look();
    return watched.onChange(() => {
      const now = look();
      if (now === last) return;
      last = now;
      redraw((n) => n + 1);
    });
  });
}
