/** `stc completion SHELL`: what the shell needs to complete commands, options and fault codes; made from the commands themselves. */
import { Argument, type Command, type Option } from 'commander'
import { faultTable } from '../base/faults/index.ts'
import { say } from './output.ts'

const SHELLS = ['bash', 'zsh', 'fish'] as const

export function registerCompletion(program: Command): void {
  program
    .command('completion')
    .description('print the completion for a shell; how to use it stands at its top')
    .addArgument(new Argument('<shell>').choices(SHELLS))
    .action((shell: (typeof SHELLS)[number]) => say(completionFor(shell, program)))
}

interface Place {
  /** ` server status`: each word with a space in front; empty for `stc` itself. */
  readonly path: string
  readonly commands: readonly { readonly name: string; readonly about: string }[]
  readonly options: readonly { readonly flags: readonly string[]; readonly about: string; readonly value: boolean; readonly choices: readonly string[] }[]
  /** What its arguments may be, where that is a closed list. */
  readonly words: readonly string[]
}

export const completionFor = (shell: (typeof SHELLS)[number], program: Command): string => WRITERS[shell](placesOf(program, ''))

function placesOf(c: Command, path: string): Place[] {
  const options = c.options.filter((o) => !o.hidden).map(optionOf)
  const words = path === ' explain' ? Object.keys(faultTable) : c.registeredArguments.flatMap((a) => a.argChoices ?? [])
  const commands = c.commands.map((s) => ({ name: s.name(), about: plain(s.description()) }))
  return [{ path, commands, options: [...options, { flags: ['--help'], about: 'show help', value: false, choices: [] }], words }, ...c.commands.flatMap((s) => placesOf(s, `${path} ${s.name()}`))]
}
const optionOf = (o: Option): Place['options'][number] => ({ flags: [o.short, o.long].filter((f) => f !== undefined), about: plain(o.description), value: o.required || o.optional, choices: o.argChoices ?? [] })

/** Safe inside quotes of any of the three. */
const plain = (text: string): string => text.replace(/['"`$\\:[\]]/g, '')

/** Words that lead from one place to the next: everything else on the line is an option or a value. */
const walk = (places: readonly Place[]): string => places.filter((p) => p.path !== '').map((p) => `"${p.path}"`).join('|')

function bash(places: readonly Place[]): string {
  const values = places.flatMap((p) => p.options.filter((o) => o.value).map((o) => `    ${o.flags.map((f) => `"${p.path}:${f}"`).join('|')}) COMPREPLY=($(compgen ${o.choices.length > 0 ? `-W "${o.choices.join(' ')}"` : '-f'} -- "$cur")); return ;;`))
  const words = places.map((p) => `    "${p.path}") words="${[...p.commands.map((c) => c.name), ...p.options.flatMap((o) => o.flags), ...p.words].join(' ')}" ;;`)
  return `# bash completion for stc. Now: source <(stc completion bash); for good: stc completion bash > ~/.local/share/bash-completion/completions/stc
_stc() {
  local cur="\${COMP_WORDS[COMP_CWORD]}" prev="\${COMP_WORDS[COMP_CWORD-1]}" path="" words="" i
  for ((i = 1; i < COMP_CWORD; i++)); do
    case "$path \${COMP_WORDS[i]}" in
      ${walk(places)}) path="$path \${COMP_WORDS[i]}" ;;
    esac
  done
  case "$path:$prev" in
${values.join('\n')}
  esac
  case "$path" in
${words.join('\n')}
  esac
  COMPREPLY=($(compgen -W "$words" -- "$cur"))
}
complete -o bashdefault -o default -F _stc stc`
}

function zsh(places: readonly Place[]): string {
  const described = (p: Place): string => [
    `    "${p.path}")`,
    ...(p.commands.length > 0 ? [`      found=(${p.commands.map((c) => `'${c.name}:${c.about}'`).join(' ')}); _describe command found && done=1`] : []),
    ...(p.words.length > 0 ? [`      compadd -- ${p.words.join(' ')} && done=1`] : []),
    `      found=(${p.options.flatMap((o) => o.flags.map((f) => `'${f}:${o.about}'`)).join(' ')}); _describe -o option found && done=1`,
    '      ;;',
  ].join('\n')
  const values = places.flatMap((p) => p.options.filter((o) => o.value).map((o) => `    ${o.flags.map((f) => `"${p.path}:${f}"`).join('|')}) ${o.choices.length > 0 ? `compadd -- ${o.choices.join(' ')}` : '_files'}; return ;;`))
  return `#compdef stc
# zsh completion for stc: stc completion zsh > "\${fpath[1]}/_stc", then a new shell
_stc() {
  local at="" i done=0
  local -a found
  for ((i = 2; i < CURRENT; i++)); do
    case "$at \${words[i]}" in
      ${walk(places)}) at="$at \${words[i]}" ;;
    esac
  done
  case "$at:\${words[CURRENT-1]}" in
${values.join('\n')}
  esac
  case "$at" in
${places.map(described).join('\n')}
  esac
  (( done )) || _files
}
if [ "$funcstack[1]" = "_stc" ]; then _stc "$@"; else compdef _stc stc; fi`
}

function fish(places: readonly Place[]): string {
  const lines = places.flatMap((p) => {
    const here = `-n '__stc_at "${p.path}"'`
    return [
      ...p.commands.map((c) => `complete -c stc -f ${here} -a '${c.name}' -d '${c.about}'`),
      ...(p.words.length > 0 ? [`complete -c stc -f ${here} -a '${p.words.join(' ')}'`] : []),
      ...p.options.map((o) => `complete -c stc ${here} ${o.flags.map((f) => (f.startsWith('--') ? `-l ${f.slice(2)}` : `-s ${f.slice(1)}`)).join(' ')}${o.choices.length > 0 ? ` -x -a '${o.choices.join(' ')}'` : o.value ? ' -r' : ''} -d '${o.about}'`),
    ]
  })
  return `# fish completion for stc: stc completion fish > ~/.config/fish/completions/stc.fish
function __stc_at
  set -l at ""
  for word in (commandline -opc)[2..-1]
    switch "$at $word"
      case ${places.filter((p) => p.path !== '').map((p) => `'${p.path}'`).join(' ')}
        set at "$at $word"
    end
  end
  test "$at" = "$argv[1]"
end
${lines.join('\n')}`
}

const WRITERS = { bash, zsh, fish }
