/* Permits: a row shows that something was typed in it; what was typed is not left by mistake; answers with faults are drawn too. */

const touched = () => document.querySelector("[data-permit].is-touched")
let isLeaving = false

document.addEventListener("input", (event) => {
  const row = event.target.closest("[data-permit]")
  if (!row) return
  row.classList.add("is-touched")
  event.target.classList.remove("is-empty")
})

document.addEventListener("submit", (event) => {
  if (event.target.matches("[data-permit-form]")) isLeaving = true
})

addEventListener("beforeunload", (event) => {
  if (touched() && !isLeaving) event.preventDefault()
})
addEventListener("pageshow", () => { isLeaving = false })

document.addEventListener("htmx:beforeSwap", (event) => {
  const { detail } = event
  if (!detail.target.matches("[data-permit]")) return
  if (detail.xhr.status === 409 || detail.xhr.status === 422) {
    detail.shouldSwap = true
    detail.isError = false
  }
})

/* After a save the row is another element: the cursor goes on to its button, as the keyboard expects. */
document.addEventListener("htmx:afterSwap", ({ detail }) => {
  const id = detail.target.id
  if (!id || !id.startsWith("permit-")) return
  const row = document.getElementById(id)
  const wrong = row && row.querySelector("td:has(.field-error) input, td:has(.field-error) select, .pick input")
  const next = wrong || (row && row.querySelector(".row-save button"))
  if (next) next.focus()
})
