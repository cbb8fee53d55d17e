// Prints what RtlVirtualUnwind makes of each return address in a library: a line of the address,
// where the caller's frame is (the CFA), and where its rbp is. make.sh runs it.
#include <windows.h>
#include <stdio.h>

enum { WORDS = 1 << 20 };
// Each holds its own address plus one: what is read tells from where.
static DWORD64 words[WORDS];

static DWORD64 at(size_t word) { return (DWORD64)&words[word]; }

static int unwind(DWORD64 base, DWORD64 pc, RUNTIME_FUNCTION *function, size_t rbp,
                  CONTEXT *context) {
  void *data;
  DWORD64 frame;
  memset(context, 0, sizeof *context);
  context->Rip = pc;
  context->Rsp = at(WORDS / 4);
  context->Rbp = at(rbp);
  context->Rbx = at(WORDS / 16);
  RtlVirtualUnwind(0, base, pc, function, context, &data, &frame, NULL);
  return context->Rip == context->Rsp - 8 + 1;
}

int main(int count, char **arguments) {
  for (size_t i = 0; i < WORDS; i++) words[i] = at(i) + 1;
  char *image = (char *)LoadLibraryExA(arguments[count - 1], NULL, DONT_RESOLVE_DLL_REFERENCES);
  if (!image) return 1;
  IMAGE_NT_HEADERS64 *headers = (void *)(image + ((IMAGE_DOS_HEADER *)image)->e_lfanew);
  IMAGE_DATA_DIRECTORY *table =
      &headers->OptionalHeader.DataDirectory[IMAGE_DIRECTORY_ENTRY_EXCEPTION];
  RUNTIME_FUNCTION *functions = (void *)(image + table->VirtualAddress);
  for (size_t i = 0; i < table->Size / sizeof *functions; i++) {
    RUNTIME_FUNCTION *f = &functions[i];
    for (DWORD pc = f->BeginAddress + 5; pc < f->EndAddress; pc++) {
      int to;
      memcpy(&to, image + pc - 4, 4);
      DWORD callee = pc + to; // E8: a call of what is so far from the next instruction
      if (*(unsigned char *)(image + pc - 5) != 0xe8) continue;
      if (callee >= headers->OptionalHeader.SizeOfImage) continue;
      DWORD64 base;
      RUNTIME_FUNCTION *found = RtlLookupFunctionEntry((DWORD64)(image + pc), &base, NULL);
      // Not in a part that has a row of its own.
      if (!found || found->BeginAddress != f->BeginAddress) continue;
      CONTEXT here, there;
      printf("%lx ", pc);
      if (!unwind(base, (DWORD64)(image + pc), found, WORDS / 2, &here) ||
          !unwind(base, (DWORD64)(image + pc), found, WORDS / 2 + 1024, &there)) {
        printf("nothing\n");
        continue;
      }
      DWORD64 rsp = at(WORDS / 4), rbp = at(WORDS / 2);
      if (here.Rsp > rsp && here.Rsp == there.Rsp) printf("rsp + %lld, ", here.Rsp - rsp);
      else if (there.Rsp - here.Rsp == 8192) printf("rbp + %lld, ", here.Rsp - rbp);
      else { printf("another register\n"); continue; }
      if (here.Rbp == rbp && there.Rbp == at(WORDS / 2 + 1024)) printf("rbp\n");
      else printf("CFA + %lld\n", (long long)(here.Rbp - 1 - here.Rsp));
    }
  }
  return 0;
}
