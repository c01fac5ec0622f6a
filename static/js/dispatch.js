/* The dispatch page: cells mark themselves as equal to last period's, sums follow, and what was typed is kept on this machine
   until the server has acknowledged it. Without this file the page is a plain form and loses nothing either.
   `sheet` is what the other parts share: dispatch_save.js (autosave), _keys.js, _paste.js, _cards.js (phone), _photos.js. */

const page = document.querySelector("[data-dispatch]")
const sheet = page ? { page } : null

if (sheet) {
  const keyOf = (block) => `dispatch:${page.dataset.dispatch}:${block.dataset.block}`
  const plainEnds = (text) => text.replace(/\r\n/g, "\n")

  sheet.blocks = () => [...page.querySelectorAll("[data-block]")]
  sheet.block = (code) => page.querySelector(`[data-block="${CSS.escape(code)}"]`)
  sheet.inputs = (block) => [...block.querySelectorAll("[data-cell] > input, [data-cell] > textarea")]
  sheet.number = (text) => text.trim() === "" ? null : Number(text.normalize("NFKC").replace(/[,%\s]|万元/g, ""))
  sheet.initial = (input) => plainEnds(input.defaultValue)
  sheet.before = (cell) => cell.dataset.before === undefined ? undefined : plainEnds(cell.dataset.before)
  sheet.isTouched = (block) => sheet.inputs(block).some((input) => input.value !== sheet.initial(input))
  sheet.name = (block) => block.querySelector(".block-name").textContent

  /** Write values into cells as if they had been typed. */
  sheet.write = (changes) => {
    for (const [name, value] of Object.entries(changes)) {
      const input = page.querySelector(`[name="${CSS.escape(name)}"]`)
      if (!input || input.value === value) continue
      input.value = value
      input.dispatchEvent(new CustomEvent("input", { bubbles: true, detail: "written" }))
    }
  }

  /* ── cells and sums ── */
  function mark(cell) {
    const before = sheet.before(cell)
    if (before === undefined) return
    const input = cell.querySelector("input, textarea")
    const same = input.inputMode === "decimal" ? sheet.number(input.value) === sheet.number(before) : input.value === before
    cell.classList.toggle("is-same", same)
  }

  function sum(block) {
    for (const output of block.querySelectorAll("[data-sum]")) {
      const cells = [...block.querySelectorAll(`tbody input[name*="-${output.dataset.sum}_"]`)]
      const total = cells.reduce((all, input) => all + Math.round((sheet.number(input.value) || 0) * 100), 0)
      output.textContent = Number.isFinite(total) ? String(total / 100) : "—"
    }
  }

  sheet.settle = (block) => {
    block.querySelectorAll("[data-cell]").forEach(mark)
    sum(block)
    const same = block.querySelector("[data-same]")
    if (same) same.disabled = sheet.isTouched(block)
  }

  /* ── what was typed stays on this machine until the receipt ──
     Kept are the cells that differ (`typed`), what they were on the page (`base`) and what was last sent and not answered (`sent`). */
  sheet.store = {
    put(block, sent) {
      if ("leaves" in document.body.dataset) return true // logging out, as was asked for
      const touched = sheet.inputs(block).filter((i) => i.value !== sheet.initial(i))
      const pick = (of) => Object.fromEntries(touched.map((i) => [i.name, of(i)]))
      try {
        if (touched.length) {
          const kept = { at: Date.now(), edit: block.dataset.edit, typed: pick((i) => i.value), base: pick(sheet.initial), sent: sent ?? null }
          localStorage.setItem(keyOf(block), JSON.stringify(kept))
        } else localStorage.removeItem(keyOf(block))
        return true
      } catch { return false } // a full or forbidden store: the page itself still holds what was typed
    },
    get(block) {
      try { return JSON.parse(localStorage.getItem(keyOf(block))) } catch { return null }
    },
    drop(block) { try { localStorage.removeItem(keyOf(block)) } catch { /* nothing was kept */ } },
  }

  function restore() {
    const restored = []
    for (const block of sheet.blocks()) {
      const kept = sheet.store.get(block)
      if (!kept) continue
      const lost = sheet.inputs(block).filter((i) => i.name in kept.typed && i.value !== kept.typed[i.name])
      if (!lost.length) { if (!sheet.isTouched(block)) sheet.store.drop(block); continue }
      // Nobody else wrote where the server still says what I saw, or what I sent and never heard of: then it goes on from here.
      const isMine = (i) => [kept.base?.[i.name], kept.sent?.[i.name]].includes(sheet.initial(i))
      if (!lost.every(isMine)) block.querySelector(`input[name$="-version"]`).value = kept.edit // a newer save is a conflict to choose from
      for (const input of lost) input.value = kept.typed[input.name]
      block.open = true
      sheet.settle(block)
      restored.push([block, new Date(kept.at)])
    }
    sheet.restored = restored.map(([block]) => block.dataset.block)
    const box = document.querySelector("[data-restored]")
    if (!restored.length || !box) return
    const at = restored[0][1].toLocaleString("zh-CN", { month: "numeric", day: "numeric", hour: "2-digit", minute: "2-digit" })
    box.textContent = `已恢复 ${at} 没有存到服务器的填写（${sheet.restored.join("、")}），请核对；继续填写或稍后会自动保存为草稿。`
    const discard = document.createElement("button")
    discard.type = "button"
    discard.className = "button button-small"
    discard.textContent = "不恢复，用已保存的"
    discard.addEventListener("click", () => { sheet.isLeaving = true; restored.forEach(([b]) => sheet.store.drop(b)); location.reload() })
    box.append(" ", discard)
    box.hidden = false
  }

  page.addEventListener("input", ({ target }) => {
    const block = target.closest("[data-block]")
    if (!block || !target.closest("[data-cell]")) return
    sheet.settle(block)
    sheet.store.put(block)
  })
  page.addEventListener("focusin", ({ target }) => { if (target.inputMode === "decimal") target.select() })

  /* ── htmx: send one block only, take back its answer whatever its status ── */
  sheet.token = () => document.cookie.match(/(?:^|; )csrftoken=([^;]+)/)?.[1] ?? "" // of the newest login, also one in another tab
  sheet.person = page.dataset.dispatch.split(":")[0]

  document.addEventListener("htmx:configRequest", ({ detail }) => {
    const block = detail.elt.closest("[data-block]")
    if (!block) return
    for (const name of new Set(detail.formData.keys())) {
      if (!name.startsWith(`${block.dataset.block}-`) && name !== "action") detail.formData.delete(name)
    }
    if (sheet.token()) detail.headers["X-CSRFToken"] = sheet.token()
    detail.headers["X-Person"] = sheet.person
  })

  document.addEventListener("htmx:beforeSwap", ({ detail }) => {
    if (!detail.target.closest("[data-block]")) return
    if (detail.xhr.status === 409 || detail.xhr.status === 422) {
      detail.shouldSwap = true
      detail.isError = false
    }
  })

  document.addEventListener("htmx:afterSwap", ({ detail }) => {
    const code = detail.requestConfig.elt.closest("[data-block]")?.dataset.block
    const block = code && sheet.block(code)
    if (!block) return
    sheet.settle(block)
    if ("receipt" in block.dataset) {
      sheet.store.drop(block)
      const all = sheet.blocks()
      const next = all.slice(all.indexOf(block) + 1).concat(all).find((b) => b.open && b !== block)
      page.dispatchEvent(new CustomEvent("sheet:receipt", { detail: { block, next: block.open ? null : next } }))
      if (!block.open && next) next.querySelector("input[inputmode]")?.focus()
    } else {
      block.querySelector(".has-error input, .has-error textarea, .pick input")?.focus()
    }
  })

  sheet.blocks().forEach(sheet.settle)
  restore()
}

document.addEventListener("change", ({ target }) => { if (target.matches("[data-submits]")) target.form.submit() })
