/* What would be said of a report, while it is being typed: the server's own rules, asked after a pause. Nothing is saved by it. */

const reports = document.querySelector("[data-dispatch]")
if (reports) {
  const PAUSE = 700 // milliseconds without a key
  const waiting = new WeakMap()
  const turns = new WeakMap()

  async function ask(block) {
    const turn = (turns.get(block) ?? 0) + 1
    turns.set(block, turn)
    const address = block.querySelector("[data-submit]")?.getAttribute("hx-post")
    if (!address) return
    const body = new FormData()
    for (const input of block.querySelectorAll("input[name], textarea[name]")) {
      if (input.type !== "radio" || input.checked) body.append(input.name, input.value)
    }
    const token = document.cookie.match(/(?:^|; )csrftoken=([^;]+)/)?.[1] ?? ""
    try {
      const answer = await fetch(address.replace("/?", "/check/?"), { method: "POST", body, headers: { "X-CSRFToken": token } })
      if (!answer.ok || answer.redirected) return // no line, no login: saving will say so
      const verdict = await answer.json()
      if (turns.get(block) === turn && block.isConnected) show(block, verdict)
    } catch { /* the line dropped: typing goes on */ }
  }

  /** The verdict is whole: what was said before of any cell makes way for it. */
  function show(block, { errors, faults, hints }) {
    block.querySelectorAll(".field-live, [data-cell] > .field-error, [data-cell] > .field-hint, [data-said]").forEach((old) => old.remove())
    for (const cell of block.querySelectorAll(".has-error:not(:has(.pick))")) cell.classList.remove("has-error")
    const unread = Object.entries(errors).flatMap(([name, sentences]) => sentences.map((sentence) => ({ name, sentence })))
    for (const { name, sentence, wants_reason: wantsReason } of [...unread, ...faults, ...hints]) {
      const input = name && block.querySelector(`[name="${CSS.escape(name)}"]`)
      const place = input ? input.closest("[data-cell]") : block.querySelector(".block-foot")
      if (wantsReason) block.querySelector(".block-reason").open = true
      if (!place) continue
      const line = document.createElement("p")
      line.className = "field-hint field-live"
      line.setAttribute("role", "status")
      line.textContent = sentence
      place[input ? "append" : "prepend"](line)
    }
  }

  reports.addEventListener("input", ({ target }) => {
    const block = target.closest("[data-block]")
    if (!block) return
    clearTimeout(waiting.get(block))
    waiting.set(block, setTimeout(ask, PAUSE, block))
  })
}
