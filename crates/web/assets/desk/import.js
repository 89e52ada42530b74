// Puts a file into the field of the import, where it can be looked at before it is sent.

const form = document.querySelector("form.import");
const field = form?.querySelector(".file");
const file = form?.querySelector("input[type=file]");
const text = form?.querySelector("textarea");
if (field instanceof HTMLElement && file instanceof HTMLInputElement && text instanceof HTMLTextAreaElement) {
  field.hidden = false;
  file.addEventListener("change", async () => {
    const chosen = file.files?.item(0);
    if (chosen) text.value = await chosen.text();
  });
}
