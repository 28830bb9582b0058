# bash completion for stemctl

# Names of the daemon's stems, one per line; nothing when there is no daemon.
_stemctl_stems()
{
    stemctl --timeout 0.5 --json stems 2>/dev/null |
        sed -n 's/^ *"name": "\(.*\)",$/\1/p'
}

# Words from standard input that begin like $1, quoted for the command line.
_stemctl_offer()
{
    local word
    while IFS= read -r word; do
        if [[ $word == "$1"* ]]; then
            printf -v word '%q' "$word"
            COMPREPLY+=("$word")
        fi
    done
}

_stemctl()
{
    local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]}
    local commands="start capture stop toggle split mark mute unmute status stems takes ping version verify finish recover list show report export sum diff rename"
    local options="--url --timeout --json --help --version"
    local command="" words=0 k
    COMPREPLY=()

    case $prev in
    -u | --url | -t | --timeout | --tempo | --key | --preroll | --length | --progress-fd) return ;;
    --to)
        compopt -o filenames 2>/dev/null
        mapfile -t COMPREPLY < <(compgen -f -- "$cur")
        return
        ;;
    --format)
        mapfile -t COMPREPLY < <(compgen -W "wav w64 caf aiff flac" -- "$cur")
        return
        ;;
    --depth)
        mapfile -t COMPREPLY < <(compgen -W "16 24 32 float double" -- "$cur")
        return
        ;;
    --at)
        mapfile -t COMPREPLY < <(compgen -W "now bar transport threshold" -- "$cur")
        return
        ;;
    esac
    for ((k = 1; k < COMP_CWORD; k++)); do
        case ${COMP_WORDS[k]} in
        -u | --url | -t | --timeout | --tempo | --key | --preroll | --length | --progress-fd | --at | --to | --format | --depth) k=$((k + 1)) ;;
        -*) ;;
        *) if [[ $command ]]; then words=$((words + 1)); else command=${COMP_WORDS[k]}; fi ;;
        esac
    done

    [[ $command == start ]] && options+=" --at --preroll --length --tempo --key"
    [[ $command == finish ]] && options+=" --accept --quiet --progress-fd"
    [[ $command == report ]] && options+=" --open"
    [[ $command == export ]] && options+=" --format --depth --dither --to --zip --quiet"
    [[ $command == sum ]] && options+=" --depth --to --quiet"
    case $command,$words,$cur in
    *,*,-*) mapfile -t COMPREPLY < <(compgen -W "$options" -- "$cur") ;;
    ,*) mapfile -t COMPREPLY < <(compgen -W "$commands" -- "$cur") ;;
    mute,0,* | unmute,0,*) _stemctl_offer "${cur//\\/}" < <(_stemctl_stems) ;;
    mute,1,*) mapfile -t COMPREPLY < <(compgen -W "on off" -- "$cur") ;;
    diff,[01],*)
        compopt -o filenames 2>/dev/null
        mapfile -t COMPREPLY < <(compgen -f -- "$cur")
        ;;
    verify,0,* | finish,0,* | recover,* | list,0,* | show,0,* | report,0,* | export,0,* | sum,0,* | \
        rename,0,*)
        compopt -o filenames 2>/dev/null
        mapfile -t COMPREPLY < <(compgen -d -- "$cur")
        ;;
    esac
}

complete -F _stemctl stemctl
