/* The dispatch page: cells mark themselves as equal to last period's, sums follow, Enter moves on, and what was typed is kept
   on this machine until the server has acknowledged it. Without this file the page is a plain form and loses nothing either. */

const page = document.querySelector("[data-dispatch]")
if (page) {
  const keyOf = (block) => `dispatch:${page.dataset.dispatch}:${block.dataset.block}`
  const inputsOf = (block) => [...block.querySelectorAll("input[name], textarea[name]")].filter((i) => i.type !== "hidden" && i.type !== "radio")
  const number = (text) => text.trim() === "" ? null : Number(text.normalize("NFKC").replace(/[,%\s]|万元/g, ""))
  const initial = (input) => input.defaultValue.replace(/\r\n/g, "\n")

  /* ── cells and sums ── */
  function mark(cell) {
    if (cell.dataset.before === undefined) return
    const input = cell.querySelector("input, textarea")
    const before = cell.dataset.before.replace(/\r\n/g, "\n")
    const same = input.inputMode === "decimal" ? number(input.value) === number(before) : input.value === before
    cell.classList.toggle("is-same", same)
  }

  function sum(block) {
    for (const output of block.querySelectorAll("[data-sum]")) {
      const cells = [...block.querySelectorAll(`tbody input[name*="-${output.dataset.sum}_"]`)]
      const total = cells.reduce((all, input) => all + Math.round((number(input.value) || 0) * 100), 0)
      output.textContent = Number.isFinite(total) ? String(total / 100) : "—"
    }
  }

  const isTouched = (block) => inputsOf(block).some((input) => input.value !== initial(input))

  function settle(block) {
    block.querySelectorAll("[data-cell]").forEach(mark)
    sum(block)
    const same = block.querySelector("[data-same]")
    if (same) same.disabled = isTouched(block)
  }

  /* ── what was typed stays on this machine until the receipt ── */
  const store = {
    put(block) {
      const typed = Object.fromEntries(inputsOf(block).filter((i) => i.value !== initial(i)).map((i) => [i.name, i.value]))
      try {
        if (Object.keys(typed).length) localStorage.setItem(keyOf(block), JSON.stringify({ at: Date.now(), edit: block.dataset.edit, typed }))
        else localStorage.removeItem(keyOf(block))
      } catch { /* a full or forbidden store: the page itself still holds what was typed */ }
    },
    get(block) {
      try { return JSON.parse(localStorage.getItem(keyOf(block))) } catch { return null }
    },
    drop(block) { try { localStorage.removeItem(keyOf(block)) } catch { /* nothing was kept */ } },
  }

  function restore() {
    const restored = []
    for (const block of page.querySelectorAll("[data-block]")) {
      const kept = store.get(block)
      if (!kept) continue
      const lost = inputsOf(block).filter((i) => i.name in kept.typed && i.value !== kept.typed[i.name])
      if (!lost.length) { if (!isTouched(block)) store.drop(block); continue }
      for (const input of lost) input.value = kept.typed[input.name]
      block.querySelector(`input[name$="-version"]`).value = kept.edit // answer to what was seen then: a newer save is a conflict to choose from
      block.open = true
      restored.push([block, new Date(kept.at)])
    }
    const box = document.querySelector("[data-restored]")
    if (!restored.length || !box) return
    const at = restored[0][1].toLocaleString("zh-CN", { month: "numeric", day: "numeric", hour: "2-digit", minute: "2-digit" })
    box.textContent = `已恢复 ${at} 未保存成功的填写（${restored.map(([b]) => b.dataset.block).join("、")}），请核对后保存。`
    const discard = document.createElement("button")
    discard.type = "button"
    discard.className = "button button-small"
    discard.textContent = "不恢复，用已保存的"
    discard.addEventListener("click", () => { restored.forEach(([b]) => store.drop(b)); location.reload() })
    box.append(" ", discard)
    box.hidden = false
  }

  page.addEventListener("input", ({ target }) => {
    const block = target.closest("[data-block]")
    if (!block) return
    settle(block)
    store.put(block)
  })

  /* ── Enter moves on; in a text of several lines Ctrl+Enter does ── */
  page.addEventListener("keydown", (event) => {
    const { target, key } = event
    if (key !== "Enter" || event.isComposing || !target.matches("input, textarea")) return
    if (target.matches("textarea") && !event.ctrlKey && !event.metaKey) return
    event.preventDefault()
    const stops = [...page.querySelectorAll("input, textarea, [data-submit]")].filter((e) => e.offsetParent && e.type !== "hidden" && !e.disabled)
    const next = stops[stops.indexOf(target) + 1]
    if (next) { next.focus(); if (next.select) next.select() }
  })
  page.addEventListener("focusin", ({ target }) => { if (target.inputMode === "decimal") target.select() })

  /* ── htmx: send one block only, take back its answer whatever its status, notice an expired login ── */
  document.addEventListener("htmx:configRequest", ({ detail }) => {
    const block = detail.elt.closest("[data-block]")
    if (!block) return
    for (const name of new Set(detail.formData.keys())) {
      if (!name.startsWith(`${block.dataset.block}-`) && name !== "action") detail.formData.delete(name)
    }
    const cookie = document.cookie.match(/(?:^|; )csrftoken=([^;]+)/)
    if (cookie) detail.headers["X-CSRFToken"] = cookie[1] // of the newest login, also one in another tab
  })

  document.addEventListener("htmx:beforeSwap", (event) => {
    const { detail } = event
    const block = detail.target.closest("[data-block]")
    if (!block) return
    if (detail.xhr.status === 403 || new URL(detail.xhr.responseURL).pathname.startsWith("/accounts/login")) {
      detail.shouldSwap = detail.isError = false
      expired(block)
    } else if (detail.xhr.status === 409 || detail.xhr.status === 422) {
      detail.shouldSwap = true
      detail.isError = false
    }
  })

  function expired(block) {
    let box = block.querySelector("[data-expired]")
    if (!box) {
      box = document.createElement("p")
      box.className = "notice notice-error"
      box.dataset.expired = ""
      box.setAttribute("role", "alert")
      block.querySelector(".block-foot").before(box)
    }
    const link = document.createElement("a")
    link.href = "/accounts/login/"
    link.target = "_blank"
    link.textContent = "在新页登录"
    box.replaceChildren("登录已过期，尚未保存。您填的都还在：请先", link, "，再回到这里重新点一次。")
  }

  document.addEventListener("htmx:afterSwap", ({ detail }) => {
    const id = detail.requestConfig.elt.closest("[data-block]")?.id
    const block = id && document.getElementById(id)
    if (!block) return
    settle(block)
    if ("receipt" in block.dataset) {
      store.drop(block)
      const all = [...page.querySelectorAll("[data-block]")]
      const next = all.slice(all.indexOf(block) + 1).concat(all).find((b) => b.open && b !== block)
      if (!block.open && next) next.querySelector("input[inputmode]")?.focus()
    } else {
      block.querySelector(".has-error input, .has-error textarea, .pick input")?.focus()
    }
  })

  page.querySelectorAll("[data-block]").forEach(settle)
  restore()
}

document.addEventListener("change", ({ target }) => { if (target.matches("[data-submits]")) target.form.submit() })
