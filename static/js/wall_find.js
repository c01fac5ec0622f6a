/* `/` finds a project or a section by number, name, pinyin or initials; arrows choose, Enter opens its card. */
"use strict"

const wallFind = (() => {
  const WAIT = 120 // ms after the last key
  const box = document.querySelector("[data-finder]"), input = box.querySelector("input"), list = box.querySelector("[role=listbox]"), note = box.querySelector("[data-finder-note]")
  let hits = [], chosen = 0, timer = null, asked = 0

  function open() {
    box.showModal()
    input.value = ""
    show([], "输入序号、名称、拼音或首字母")
  }

  function show(found, words) {
    hits = found
    chosen = 0
    note.textContent = words
    list.replaceChildren(...hits.map((hit, n) => {
      const mark = hit.kind === "section" ? wall.element("i", { class: "mark mark-national" }) : wall.element("i", { class: `mark mark-${hit.stage}` })
      const stage = hit.kind === "section" ? "断面" : wallDerive.STAGE_WORDS[hit.stage]
      const made = wall.element("li", { role: "option", id: `hit-${n}` }, wall.element("b", {}, hit.number ?? (hit.kind === "section" ? "" : hit.key)), mark,
        wall.element("span", {}, hit.name), wall.element("small", {}, `${hit.county} · ${stage}`))
      made.addEventListener("click", () => take(n))
      return made
    }))
    point(0)
  }

  function point(n) {
    if (!hits.length) return input.removeAttribute("aria-activedescendant")
    chosen = (n + hits.length) % hits.length
    for (const [position, item] of [...list.children].entries()) item.setAttribute("aria-selected", String(position === chosen))
    input.setAttribute("aria-activedescendant", `hit-${chosen}`)
    list.children[chosen].scrollIntoView({ block: "nearest" })
  }

  function take(n) {
    const hit = hits[n]
    if (!hit) return
    box.close()
    wallCards.open(`${hit.kind}:${hit.key}`)
  }

  async function search() {
    const words = input.value.trim(), turn = ++asked
    if (!words) return show([], "输入序号、名称、拼音或首字母")
    const day = wall.dayOf()
    try {
      const response = await fetch(`${document.body.dataset.find}?q=${encodeURIComponent(words)}${day ? `&as_of=${day}` : ""}`, { headers: { "X-Poll": "find" }, redirect: "manual", signal: AbortSignal.timeout(10000) })
      if (turn !== asked) return
      if (!response.ok) throw new Error(String(response.status))
      const found = await response.json()
      if (turn === asked) show(found, found.length ? `${found.length} 个，↑↓ 选择，回车打开` : `没有找到“${words}”`)
    } catch {
      if (turn === asked) show([], "连不上服务器或登录已过期，请稍后重试")
    }
  }

  input.addEventListener("input", () => { clearTimeout(timer); timer = setTimeout(search, WAIT) })
  input.addEventListener("keydown", async (event) => {
    if (event.key === "ArrowDown") point(chosen + 1)
    else if (event.key === "ArrowUp") point(chosen - 1)
    else if (event.key === "Enter" && !event.isComposing) {
      clearTimeout(timer)
      if (!hits.length) await search()
      take(chosen)
    } else return
    event.preventDefault()
  })
  box.addEventListener("keydown", (event) => event.stopPropagation()) // the wall's own keys rest meanwhile
  box.addEventListener("click", (event) => { if (event.target === box) box.close() })
  document.querySelector("[data-find-button]").addEventListener("click", open)

  return { open }
})()
