/* The form of an air ranking: keys move as in a spreadsheet, a block from Excel is pasted in place, and what was typed is kept on
   this machine until it is saved. Without this file the page is a plain form and loses nothing that was sent. */

const ranking = document.querySelector("[data-air]")
if (ranking) {
  const key = ranking.dataset.air
  const { seen } = ranking.elements
  const seenNow = seen.value
  const fields = [...ranking.elements].filter((field) => field.name && !["hidden", "submit"].includes(field.type))
  const rows = [...ranking.querySelectorAll("[data-lines] tbody tr")].map((row) => [...row.querySelectorAll("input")])
  const width = Math.max(0, ...rows.map((row) => row.length))

  /* ── what was typed stays on this machine until it is saved: the message of the next page ends it (site.js) ── */
  function keep() {
    const isChanged = "bound" in ranking.dataset || fields.some((field) => field.value !== field.defaultValue)
    const typed = Object.fromEntries(fields.map((field) => [field.name, field.value]))
    try {
      if (isChanged) localStorage.setItem(key, JSON.stringify({ at: Date.now(), seen: seen.value, typed }))
      else localStorage.removeItem(key)
    } catch { /* a full or forbidden store: the page itself still holds what was typed */ }
  }

  function restore() {
    let kept = null
    try { kept = JSON.parse(localStorage.getItem(key)) } catch { /* nothing to read */ }
    if (!kept) return
    const lost = fields.filter((field) => field.name in kept.typed && field.value !== kept.typed[field.name])
    if (!lost.length) return
    for (const field of lost) field.value = kept.typed[field.name]
    seen.value = kept.seen // answer to what was seen then: a newer save is shown before anything is written
    const box = document.querySelector("[data-restored]")
    const at = new Date(kept.at).toLocaleString("zh-CN", { month: "numeric", day: "numeric", hour: "2-digit", minute: "2-digit" })
    const discard = document.createElement("button")
    discard.type = "button"
    discard.className = "button button-small"
    discard.textContent = ranking.dataset.air.endsWith(":new") ? "不恢复，重新填写" : "不恢复，用已保存的"
    discard.addEventListener("click", () => {
      ranking.reset()
      seen.value = seenNow
      keep()
      box.hidden = true
    })
    box.replaceChildren(`已恢复 ${at} 没有保存的填写（${lost.length} 处），请核对后保存。`, " ", discard)
    box.hidden = false
  }

  ranking.addEventListener("input", keep)

  /* ── keys ── */
  function place(cell) {
    const y = rows.findIndex((row) => row.includes(cell))
    return y < 0 ? null : [y, rows[y].indexOf(cell)]
  }

  function go(cell) {
    if (!cell) return false
    cell.focus()
    cell.select()
    cell.scrollIntoView({ block: "nearest", inline: "nearest" })
    return true
  }

  ranking.addEventListener("keydown", (event) => {
    const { target: cell, key: pressed } = event
    if (event.isComposing || event.ctrlKey || event.metaKey || event.altKey) return
    const found = place(cell)
    if (!found) {
      if (pressed === "Enter" && cell.matches("input")) event.preventDefault() // saving is the button's
      return
    }
    const [y, x] = found
    const isWhole = cell.selectionStart === 0 && cell.selectionEnd === cell.value.length
    const isStart = isWhole || (cell.selectionStart === 0 && cell.selectionEnd === 0)
    const isEnd = isWhole || (cell.selectionStart === cell.value.length && cell.selectionEnd === cell.value.length)
    if (pressed === "Enter") {
      event.preventDefault()
      if (event.shiftKey) go(rows[y - 1]?.[x])
      else go(rows[y + 1]?.[x]) || go(rows[0][x + 1]) // on to the head of the next column
    } else if (pressed === "ArrowDown" || pressed === "ArrowUp") {
      event.preventDefault()
      go(rows[y + (pressed === "ArrowDown" ? 1 : -1)]?.[x])
    } else if (pressed === "ArrowLeft" && isStart && go(rows[y][x - 1])) event.preventDefault()
    else if (pressed === "ArrowRight" && isEnd && go(rows[y][x + 1])) event.preventDefault()
    else if (pressed === "Escape" && cell.value !== cell.defaultValue) {
      cell.value = cell.defaultValue
      keep()
    }
  })
  ranking.addEventListener("focusin", ({ target }) => { if (place(target)) target.select() })

  /* ── a block from a spreadsheet ── */
  const bare = (text) => text.normalize("NFKC").replace(/[\s%]/g, "").replace(/^[-—–−*/]+$/, "").replace(/^[−–]/, "-")

  ranking.addEventListener("paste", (event) => {
    const found = place(event.target)
    const text = event.clipboardData.getData("text/plain").replace(/\r\n?/g, "\n").replace(/\n+$/, "")
    if (!found || !/[\t\n]/.test(text)) return
    event.preventDefault()
    const [y, x] = found
    const left = []
    let count = 0
    text.split("\n").forEach((line, i) => line.split("\t").forEach((said, j) => {
      const cell = rows[y + i]?.[x + j]
      const value = bare(said)
      if (!cell || (value && !/\d/.test(value) && value !== "持平" && value !== "不变")) {
        if (value) left.push(said.trim())
        return
      }
      if (cell.value === value) return
      cell.value = value
      count += 1
    }))
    keep()
    const more = left.length ? `；有 ${left.length} 个不是数值或落在表外（表为 ${rows.length} 行 ${width} 列），没有粘贴：${left.slice(0, 5).join("、")}${left.length > 5 ? "…" : ""}` : ""
    say(`已粘贴 ${count} 格${more}`)
  })

  if ("bound" in ranking.dataset) keep() // what came back from the server is the newest
  else restore()
}
