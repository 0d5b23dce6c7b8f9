#!/bin/sh
# regserver in one file: this script, and behind its last line the packed program. Its first start unpacks it into a folder
# of this user, and later starts run it from there. The script becomes the program (exec), so there is no parent process.
#
# The folder must allow execution, which /tmp and /run of many hosts do not: the first suitable place is taken.
name=@NAME@ offset=@OFFSET@ mask=$(umask) tried= chosen=
umask 077

allows_execution() {
    printf '#!/bin/sh\n' >"$1/.try.$$" && chmod 700 "$1/.try.$$" && "$1/.try.$$"
    set -- "$1" $?
    rm -f "$1/.try.$$"
    return "$2"
}

# Unpacks beside the place and renames, so that a start that was killed, or one at the same time, leaves nothing half there.
unpack() {
    find "$1" -maxdepth 1 -name ".draft.*" -mmin +10 -exec rm -rf {} +
    mkdir "$1/.draft.$$" && tail -c "+$offset" "$0" | tar -xzf - -C "$1/.draft.$$" && {
        [ -d "$1/$name" ] || mv "$1/.draft.$$" "$1/$name"
    }
    rm -rf "$1/.draft.$$" "$1/$name"/.draft.*
    [ -x "$1/$name/regserver" ] || return
    for old in "$1"/*; do
        [ "$old" = "$1/$name" ] || ls -l /proc/[0-9]*/exe | grep -qF " $old/" || rm -rf "$old"
    done
}

user=$(id -un 2>/dev/null || id -u)
for place in "${TMPDIR:-}" "${CACHE_DIRECTORY:-}" "${XDG_CACHE_HOME:-}" "${HOME:-/nonexistent}/.cache" /var/tmp /tmp; do
    [ -d "$place" ] || continue
    folder=$place/regserver-$user
    {
        [ -d "$folder" ] || mkdir "$folder"
        # Somebody else may have made a folder of this name in /tmp.
        if [ ! -O "$folder" ] || [ -L "$folder" ] || ! chmod 700 "$folder"; then
            tried="$tried $place is not writable;"
        elif ! allows_execution "$folder"; then
            tried="$tried $place forbids execution or is full;"
        elif [ ! -x "$folder/$name/regserver" ] && ! unpack "$folder"; then
            tried="$tried $place has too little space;"
        else
            chosen=$folder/$name/regserver
        fi
    } 2>/dev/null
    [ -z "$chosen" ] || break
done
umask "$mask"
[ -z "$chosen" ] || exec "$chosen" "$@"
echo "regserver: cannot unpack itself:$tried set TMPDIR to a folder that allows execution" >&2
exit 126
