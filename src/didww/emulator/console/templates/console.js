"use strict";
// Poll a fragment, such as that of the journal, every second, and replace it when it changes, until it is over.
const live = document.querySelector("[data-poll]");
if (live) {
  const pause = document.querySelector("[data-pause]");
  const state = document.querySelector("[data-state]");
  let last = null, paused = false;
  const round = async () => {
    if (!paused && !document.hidden) {
      try {
        const response = await fetch(live.dataset.poll, { cache: "no-store" });
        if (!response.ok) throw new Error(String(response.status));
        const text = await response.text();
        if (!paused && text !== last) {
          const focused = document.activeElement && live.contains(document.activeElement) ? document.activeElement.id : "";
          live.innerHTML = text;
          if (focused) document.getElementById(focused)?.focus({ preventScroll: true });
          last = text;
        }
        state.textContent = paused ? "paused" : "live";
        if (live.querySelector("[data-over]")) {
          pause.hidden = true;
          state.textContent = "";
          return;
        }
      } catch {
        state.textContent = "the emulator does not respond";
      }
    }
    setTimeout(round, 1000);
  };
  pause.hidden = false;
  pause.addEventListener("click", () => {
    paused = !paused;
    pause.textContent = paused ? "Resume" : "Pause";
    state.textContent = paused ? "paused" : "live";
  });
  round();
}
for (const button of document.querySelectorAll("[data-copy]")) {
  const source = document.getElementById(button.dataset.copy);
  button.hidden = false;
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(source.textContent);
      button.textContent = "Copied";
    } catch {
      getSelection().selectAllChildren(source);
      button.textContent = "Selected";
    }
    setTimeout(() => { button.textContent = "Copy"; }, 1500);
  });
}
