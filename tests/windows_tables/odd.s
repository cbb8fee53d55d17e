# Functions as other compilers make them. They never run.
	.intel_syntax noprefix
	.text

# As Microsoft's compiler has it: registers are saved in the caller's frame.
	.seh_proc home
home:
	mov [rsp + 16], rbp
	.seh_savereg rbp, 16 + 32
	sub rsp, 32
	.seh_stackalloc 32
	.seh_endprologue
	call leaf
	nop
	add rsp, 32
	ret
	.seh_endproc

	.seh_proc saves_far
saves_far:
	sub rsp, 0x100000
	.seh_stackalloc 0x100000
	mov [rsp + 0x80000], rbp
	.seh_savereg rbp, 0x80000
	movaps [rsp + 0xf0000], xmm7
	.seh_savexmm xmm7, 0xf0000
	.seh_endprologue
	call leaf
	nop
	ret
	.seh_endproc

# A part of a function that saves more.
	.seh_proc chained
chained:
	push rbp
	.seh_pushreg rbp
	sub rsp, 48
	.seh_stackalloc 48
	.seh_endprologue
	call leaf
	nop
	.seh_startchained
	mov [rsp + 40], rdi
	.seh_savereg rdi, 40
	.seh_endprologue
	call leaf
	nop
	.seh_endchained
	ret
	.seh_endproc

	.seh_proc chained_with_a_frame
chained_with_a_frame:
	push rbp
	.seh_pushreg rbp
	push rsi
	.seh_pushreg rsi
	sub rsp, 200
	.seh_stackalloc 200
	lea rbp, [rsp + 128]
	.seh_setframe rbp, 128
	.seh_endprologue
	call leaf
	nop
	.seh_startchained
	.seh_setframe rbp, 128
	mov [rsp + 192], rdi
	.seh_savereg rdi, 192
	.seh_endprologue
	call leaf
	nop
	.seh_endchained
	ret
	.seh_endproc

# The caller's frame is found by another register than rbp: there is no rule.
	.seh_proc by_rbx
by_rbx:
	push rbx
	.seh_pushreg rbx
	mov rbx, rsp
	.seh_setframe rbx, 0
	.seh_endprologue
	call leaf
	nop
	ret
	.seh_endproc

# The frame of an interrupt: there is no rule.
	.seh_proc interrupted
interrupted:
	.seh_pushframe
	sub rsp, 40
	.seh_stackalloc 40
	.seh_endprologue
	call leaf
	nop
	ret
	.seh_endproc

# A call within the prologue.
	.seh_proc in_the_prologue
in_the_prologue:
	push rbp
	.seh_pushreg rbp
	push rdi
	.seh_pushreg rdi
	call leaf
	sub rsp, 40
	.seh_stackalloc 40
	lea rbp, [rsp + 32]
	.seh_setframe rbp, 32
	.seh_endprologue
	call leaf
	nop
	ret
	.seh_endproc

# An epilogue right after the call: unwinders follow its code.
	.seh_proc epilogue
epilogue:
	push rbp
	.seh_pushreg rbp
	push rdi
	.seh_pushreg rdi
	sub rsp, 40
	.seh_stackalloc 40
	.seh_endprologue
	call leaf
	add rsp, 40
	pop rdi
	pop rbp
	ret
	.seh_endproc
