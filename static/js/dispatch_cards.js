/* The dispatch page on a phone: one project at a time, with what is needed most in reach of the thumb. */

if (sheet) {
  const narrow = matchMedia("(max-width: 40rem)")
  const bar = document.querySelector("[data-cards]")
  const [before, after, hand, same] = ["before", "after", "hand", "same"].map((name) => bar?.querySelector(`[data-card-${name}]`))
  let current = null // the code of the project that is shown

  const isOn = () => narrow.matches && bar && sheet.blocks().length > 0

  function show(code, isMoved = false) {
    const all = sheet.blocks()
    const block = sheet.block(code) ?? all[0]
    if (!block) return
    current = block.dataset.block
    for (const other of all) other.classList.toggle("is-current", other === block)
    if (isOn()) block.open = true
    const at = all.indexOf(block)
    bar.querySelector("[data-card-place]").textContent = `${at + 1}/${all.length}`
    before.disabled = at === 0
    after.disabled = at === all.length - 1
    const submit = block.querySelector("[data-submit]")
    hand.textContent = submit.textContent.trim()
    same.hidden = !block.querySelector("[data-same]")
    same.disabled = block.querySelector("[data-same]")?.disabled ?? true
    if (isMoved) scrollTo({ top: page.getBoundingClientRect().top + scrollY - 8 })
  }

  function turn(step) {
    const all = sheet.blocks()
    const next = all[all.indexOf(sheet.block(current)) + step]
    if (!next) return
    if (sheet.isTouched(sheet.block(current))) sheet.flush(current)
    show(next.dataset.block, true)
  }

  function settle() {
    document.body.classList.toggle("is-cards", isOn())
    if (isOn()) show(current ?? (sheet.blocks().find((block) => block.open) ?? sheet.blocks()[0]).dataset.block)
  }

  if (bar) {
    before.addEventListener("click", () => turn(-1))
    after.addEventListener("click", () => turn(1))
    hand.addEventListener("click", () => sheet.block(current).querySelector("[data-submit]").click())
    same.addEventListener("click", () => sheet.block(current).querySelector("[data-same]")?.click())
    narrow.addEventListener("change", settle)
    page.addEventListener("sheet:turn", ({ detail }) => { if (isOn()) show(detail.block.dataset.block, true) })
    page.addEventListener("sheet:receipt", ({ detail }) => {
      if (!isOn()) return
      const place = detail.block.querySelector(".block-name").textContent
      if (detail.next) say(`${place}：已提交。`)
      show((detail.next ?? detail.block).dataset.block, true)
    })
    document.addEventListener("htmx:afterSwap", () => { if (isOn()) show(current) })
    page.addEventListener("sheet:saved", () => { if (isOn()) show(current) })
    page.addEventListener("input", () => { if (isOn()) same.disabled = sheet.block(current)?.querySelector("[data-same]")?.disabled ?? true })
    settle()
  }
}
