/* A block from a spreadsheet: the server says what goes where and what was not understood; confirmed, it is filled in as one step. */

if (sheet) {
  const dialog = document.querySelector("[data-paste]")
  const text = dialog.querySelector("textarea")
  const found = dialog.querySelector("[data-found]")
  const fill = dialog.querySelector("[data-fill]")
  let start = null // the cell that the cursor stood in
  let changes = {}
  let timer = 0
  let turn = 0

  const make = (tag, words = "", className = "") => Object.assign(document.createElement(tag), { textContent: words, className })
  const inputOf = (name) => page.querySelector(`[name="${CSS.escape(name)}"]`)

  function open(cell, block) {
    start = cell
    text.value = block
    found.replaceChildren()
    fill.disabled = true
    dialog.showModal()
    if (block) ask()
    else text.focus()
  }

  async function ask() {
    const mine = ++turn
    const body = new FormData()
    body.append("text", text.value)
    const block = start?.closest("[data-block]")
    if (block) {
      body.append("code", block.dataset.block)
      body.append("field", start.name.slice(block.dataset.block.length + 1))
    }
    found.replaceChildren(make("p", "正在读…", "soft"))
    try {
      const answer = await fetch(dialog.dataset.paste, { method: "POST", body, headers: { "X-CSRFToken": sheet.token() } })
      if (mine !== turn) return
      if (!answer.ok || answer.redirected) return fail("没有读成：登录已过期或页面已旧。请重新登录后再点“重新读”。")
      show(await answer.json())
    } catch { fail("连不上服务器，粘贴的内容还在上面，稍后再点“重新读”。") }
  }

  function fail(words) {
    found.replaceChildren(make("p", words, "notice notice-error"))
    fill.disabled = true
  }

  function show({ cells, left, notes }) {
    changes = {}
    const rows = []
    let same = 0
    const away = new Set()
    for (const cell of cells) {
      const input = inputOf(cell.name)
      if (!input || !input.closest("[data-block]")) { away.add(`${cell.code} ${cell.project}`); continue }
      const isSame = input.inputMode === "decimal" ? sheet.number(input.value) === sheet.number(cell.text) : input.value === cell.text
      if (isSame) { same += 1; continue }
      changes[cell.name] = cell.text
      rows.push({ ...cell, old: input.value, state: input.closest("[data-block]").dataset.state })
    }
    const count = rows.length
    const parts = [make("p", count
      ? `看懂 ${count} 格要改${same ? `，另有 ${same} 格与现在相同` : ""}${left.length ? `，${left.length} 处没有看懂` : ""}。`
      : same ? `${same} 格都与现在相同，不用填。` : "没有可以填入的内容。", "paste-sum")]
    if (left.length) parts.push(remarks("没有看懂，不会填入", left, "notice notice-error"))
    if (away.size) parts.push(make("p", `不在本页，请翻到它所在的页再粘贴：${[...away].join("；")}`, "notice notice-warning"))
    if (count) parts.push(table(rows))
    if (notes.length) parts.push(remarks("跳过的行和列", notes, "soft"))
    found.replaceChildren(...parts)
    fill.disabled = !count
    fill.textContent = count ? `填入 ${count} 格` : "填入"
    if (count) fill.focus()
  }

  function remarks(title, list, className) {
    const box = make("details", "", className)
    box.open = className !== "soft"
    box.append(make("summary", `${title}（${list.length}）`))
    const ul = make("ul")
    for (const { row, text: what, reason } of list) ul.append(make("li", `第 ${row} 行${what ? `“${what}”` : ""}：${reason}`))
    box.append(ul)
    return box
  }

  function table(rows) {
    const box = make("div", "", "table-scroll")
    const grid = make("table", "", "table paste-table")
    grid.innerHTML = "<thead><tr><th>项目</th><th>填报项</th><th>现在</th><th>粘贴后</th></tr></thead>"
    const body = make("tbody")
    let last = null
    for (const row of rows) {
      const tr = make("tr")
      const owner = make("th", row.code === last ? "" : `${row.code} ${row.project}`)
      owner.scope = "row"
      if (row.code !== last && ["submitted", "accepted"].includes(row.state)) owner.append(make("span", "已提交，将成为更正", "badge badge-warn"))
      const now = make("td", row.text, "new")
      if (row.error) now.append(make("p", row.error, "field-error"))
      tr.append(owner, make("td", row.label), make("td", row.old || "空", "old"), now)
      body.append(tr)
      last = row.code
    }
    grid.append(body)
    box.append(grid)
    return box
  }

  fill.addEventListener("click", () => {
    const blocks = new Set(Object.keys(changes).map((name) => inputOf(name)?.closest("[data-block]")))
    blocks.forEach((block) => { if (block) block.open = true })
    const count = sheet.change(changes)
    dialog.close()
    const first = inputOf(Object.keys(changes)[0])
    if (first) sheet.go(first)
    const undo = make("button", "撤销")
    undo.type = "button"
    undo.addEventListener("click", () => { sheet.undo(); undo.closest(".toast").hidden = true })
    say(`已填入 ${count} 格，还没有提交。按 Ctrl+Z 可一次撤销。`, undo)
    const [box] = [undo.closest(".toast")]
    setTimeout(() => { if (undo.isConnected) box.hidden = true }, 12000)
  })
  dialog.querySelector("[data-again]").addEventListener("click", ask)
  dialog.querySelector("[data-cancel]").addEventListener("click", () => dialog.close())
  text.addEventListener("input", () => { clearTimeout(timer); timer = setTimeout(ask, 600) })
  text.addEventListener("paste", () => { clearTimeout(timer); setTimeout(ask) })
  document.querySelector("[data-opens-paste]")?.addEventListener("click", () => open(null, ""))

  /* A single value is pasted as ever; so are lines into a text of several lines. A block opens the preview. */
  page.addEventListener("paste", (event) => {
    const { target } = event
    if (!target.closest("[data-cell]")) return
    const block = event.clipboardData.getData("text/plain").replace(/\r\n?/g, "\n").replace(/\n+$/, "")
    if (!(target.matches("textarea") ? /\t/ : /[\t\n]/).test(block)) return
    event.preventDefault()
    open(target, block)
  })
}
