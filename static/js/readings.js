/* The month's sheet: keys move as in a spreadsheet, a block from Excel is pasted in place, and what was typed is kept on this
   machine until it is saved. Without this file the page is a plain form and loses nothing either. */

const form = document.querySelector("[data-sheet]")
if (form) {
  const key = `readings:${form.dataset.sheet}`
  const cells = () => [...form.querySelectorAll("[data-cell], [data-state], .sheet-note")]
  const base = form.elements.base
  const isChanged = (cell) => cell.value.trim() !== cell.dataset.was

  /* ── marks ── */
  function settle() {
    let changed = 0
    let revised = false
    for (const cell of cells()) {
      const isOffered = cell.matches(".sheet-day") && cell.closest("tr").matches("[data-new]") // a day that the page proposes is not on record
      const is = isChanged(cell) && !isOffered
      changed += is
      revised ||= is && cell.dataset.was !== "" && !cell.matches(".sheet-note")
      cell.classList.toggle("is-new", is && cell.dataset.was === "")
      cell.classList.toggle("is-revised", is && cell.dataset.was !== "")
    }
    for (const state of form.querySelectorAll("[data-state]")) state.closest("tbody").classList.toggle("is-gap", state.value !== "")
    const badge = form.querySelector("[data-changed]")
    if (badge) {
      badge.hidden = !changed
      badge.textContent = `改动 ${changed} 格，未保存`
    }
    const reason = form.querySelector("[data-reason]")
    if (reason) reason.hidden = !revised && !reason.classList.contains("has-error") && !reason.querySelector("input").value
    form.dataset.dirty = changed
  }

  function mark(verdict) {
    const block = verdict.closest("[data-block]")
    const has = (list, name) => verdict.dataset[list].split(" ").includes(name)
    for (const cell of block.querySelectorAll(".sheet-value")) {
      cell.classList.toggle("is-over", has("over", cell.name))
      cell.classList.toggle("is-far", has("far", cell.name))
      cell.classList.toggle("is-bad", has("bad", cell.name))
    }
  }

  /* ── what was typed stays on this machine until it is saved ── */
  const store = {
    put() {
      const typed = Object.fromEntries(cells().filter(isChanged).map((cell) => [cell.name, cell.value]))
      const reason = form.elements.reason?.value || ""
      try {
        if (form.dataset.dirty !== "0") localStorage.setItem(key, JSON.stringify({ at: Date.now(), base: base.value, typed, reason }))
        else localStorage.removeItem(key)
      } catch { /* a full or forbidden store: the page itself still holds what was typed */ }
    },
    get() {
      try { return JSON.parse(localStorage.getItem(key)) } catch { return null }
    },
    drop() { try { localStorage.removeItem(key) } catch { /* nothing was kept */ } },
  }

  /** A receipt ends the draft it answers, once: the same address may be opened again later. */
  function receive() {
    const receipt = document.querySelector("[data-receipt]")?.dataset.receipt
    if (!receipt) return
    try {
      if (localStorage.getItem("readings-receipt") === receipt) return
      localStorage.setItem("readings-receipt", receipt)
    } catch { /* then the draft is dropped each time */ }
    store.drop()
  }

  function restore() {
    const kept = store.get()
    if (!kept) return
    const lost = cells().filter((cell) => cell.name in kept.typed && cell.value !== kept.typed[cell.name])
    if (!lost.length) return
    for (const cell of lost) cell.value = kept.typed[cell.name]
    base.value = kept.base // answer to what was seen then: a newer save is a conflict to choose from
    if (kept.reason && form.elements.reason) form.elements.reason.value = kept.reason
    const blocks = new Set(lost.map((cell) => cell.closest("[data-block]")))
    window.addEventListener("load", () => blocks.forEach(ring)) // htmx listens by then
    const box = document.querySelector("[data-restored]")
    const at = new Date(kept.at).toLocaleString("zh-CN", { month: "numeric", day: "numeric", hour: "2-digit", minute: "2-digit" })
    const discard = document.createElement("button")
    discard.type = "button"
    discard.className = "button button-small"
    discard.textContent = "不恢复，用已保存的"
    discard.addEventListener("click", () => { store.drop(); form.dataset.leaving = "1"; location.reload() })
    box.replaceChildren(`已恢复 ${at} 没有保存的填写（${lost.length} 格），请核对后保存。`, " ", discard)
    box.hidden = false
  }

  /** Ask the server what a section's values amount to. */
  const ring = (block) => block?.dispatchEvent(new Event("change", { bubbles: true }))

  form.addEventListener("input", () => { settle(); store.put() })
  form.addEventListener("submit", () => { form.dataset.leaving = "1" })
  window.addEventListener("pageshow", () => { delete form.dataset.leaving })

  /* ── keys ── */
  const rows = () => [...form.querySelectorAll("[data-row]")]
  const place = (cell) => [rows().indexOf(cell.closest("tr")), cell.closest("td").dataset.label]
  const at = (row, label) => row && [...row.children].find((td) => td.dataset.label === label)?.querySelector("[data-cell]")

  function go(cell) {
    if (!cell) return false
    cell.focus()
    cell.select?.()
    cell.scrollIntoView({ block: "nearest", inline: "nearest" })
    return true
  }

  /** The next cell of the same column, over sections where the item is not due. */
  function vertical(cell, step) {
    const [n, label] = place(cell)
    const all = rows()
    for (let i = n + step; i >= 0 && i < all.length; i += step) if (at(all[i], label)) return at(all[i], label)
    return null
  }

  function horizontal(cell, step) {
    const all = [...cell.closest("tr").querySelectorAll("[data-cell]")]
    return all[all.indexOf(cell) + step]
  }

  form.addEventListener("keydown", (event) => {
    const { target: cell, key: pressed } = event
    if (event.isComposing || event.ctrlKey || event.metaKey || event.altKey) return
    if (!cell.matches("[data-cell]")) {
      if (pressed === "Enter" && cell.matches(".sheet-note")) event.preventDefault()
      return
    }
    const isWhole = cell.selectionStart === 0 && cell.selectionEnd === cell.value.length
    const isStart = isWhole || (cell.selectionStart === 0 && cell.selectionEnd === 0)
    const isEnd = isWhole || (cell.selectionStart === cell.value.length && cell.selectionEnd === cell.value.length)
    if (pressed === "Enter") {
      event.preventDefault()
      if (!go(vertical(cell, event.shiftKey ? -1 : 1)) && !event.shiftKey) go(at(rows()[0], horizontal(cell, 1)?.closest("td").dataset.label)) // on to the head of the next column
    } else if (pressed === "ArrowDown" || pressed === "ArrowUp") {
      event.preventDefault()
      go(vertical(cell, pressed === "ArrowDown" ? 1 : -1))
    } else if (pressed === "ArrowLeft" && isStart && go(horizontal(cell, -1))) event.preventDefault()
    else if (pressed === "ArrowRight" && isEnd && go(horizontal(cell, 1))) event.preventDefault()
    else if (pressed === "Escape" && isChanged(cell)) {
      cell.value = cell.dataset.was
      settle()
      store.put()
      ring(cell.closest("[data-block]"))
    }
  })
  form.addEventListener("focusin", ({ target }) => {
    if (!target.matches("[data-cell]")) return
    target.select()
    if (target.matches(".sheet-value")) ask(target)
  })

  /** The link 来历 of the section asks for the item that was entered last: where this one value comes from. */
  function ask(cell) {
    for (const link of form.querySelectorAll("[data-item]")) {
      delete link.dataset.item
      link.textContent = "来历"
      link.setAttribute("aria-label", `${link.closest("th").querySelector("a").textContent}的数据来历`)
    }
    const link = cell.closest("[data-block]").querySelector("[data-history]")
    link.dataset.item = cell.name.split("-")[2]
    link.textContent = `${cell.closest("td").dataset.label}来历`
    link.setAttribute("aria-label", `${cell.getAttribute("aria-label")}的数据来历`)
  }

  /* ── a block from a spreadsheet ── */
  form.addEventListener("paste", (event) => {
    const { target: start } = event
    const text = event.clipboardData.getData("text/plain").replace(/\r\n?/g, "\n").replace(/\n+$/, "")
    if (!start.matches("[data-cell]") || !/[\t\n]/.test(text)) return
    event.preventDefault()
    const all = rows()
    const [first, label] = place(start)
    const labels = [...form.querySelectorAll("thead th")].slice(1, -2).map((th) => th.firstChild.textContent.trim())
    const from = labels.indexOf(label)
    const touched = new Set()
    let count = 0
    const left = []
    text.split("\n").forEach((line, i) => line.split("\t").forEach((value, j) => {
      const cell = labels[from + j] === undefined ? null : at(all[first + i], labels[from + j])
      if (!cell) {
        if (!/^\s*([-—*]*|不监测)\s*$/.test(value)) left.push(value.trim())
        return
      }
      if (cell.value === value.trim()) return
      cell.value = value.trim()
      touched.add(cell.closest("[data-block]"))
      count += 1
    }))
    settle()
    store.put()
    touched.forEach(ring)
    const more = left.length ? `；有 ${left.length} 个落在不监测的格子或表外，没有粘贴：${left.slice(0, 5).join("、")}${left.length > 5 ? "…" : ""}` : ""
    say(`已粘贴 ${count} 格${more}`)
  })

  /* ── htmx: send one section only, mark what came back ── */
  document.addEventListener("htmx:configRequest", ({ detail }) => {
    if (detail.elt.dataset.item) detail.formData.set("item", detail.elt.dataset.item)
    const block = detail.elt.closest("[data-block]")
    if (!block || detail.verb !== "post") return
    for (const name of new Set(detail.formData.keys())) {
      if (!name.startsWith(`${block.dataset.block}-`) && !["action", "base", "csrfmiddlewaretoken"].includes(name)) detail.formData.delete(name)
    }
  })
  document.addEventListener("htmx:afterSwap", ({ detail }) => {
    const verdict = document.getElementById(detail.target.id)
    if (verdict?.matches(".verdict")) mark(verdict)
  })

  window.addEventListener("beforeunload", (event) => { if (form.dataset.dirty !== "0" && !form.dataset.leaving && !store.get()) event.preventDefault() })

  receive()
  restore()
  settle()
  const faulty = form.querySelector("[aria-invalid]")
  if (faulty) faulty.focus()
}
