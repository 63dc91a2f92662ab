# Unpacks Debian's kernel source into ./linux and applies Debian's whole patch series without fuzz.
# The arguments are tar's --exclude patterns of what need not be unpacked: all of it takes twice as
# long. Files that a patch changes are unpacked wherever they are. `tar -m`: times in the archive
# may be later than the sandbox's clock.
top=$(basename /source/linux_*.orig.tar.xz .orig.tar.xz | tr _ -)
tar -xJmf /source/linux_*.debian.tar.xz debian/patches
sed 's/#.*//; s/[[:space:]]*$//; /^$/d; s,^,debian/patches/,' debian/patches/series > series
xargs cat < series | awk -v top="$top" '
  { name = $2; sub("^[^/]*/", "", name) }
  /^--- / { old = name; created = $2 == "/dev/null" }
  /^\+\+\+ / { if (created) made[name]; else changed[old] }
  END { for (name in changed) if (!(name in made)) print top "/" name }' | sort > patched
mkdir linux
tar -xJmf /source/linux_*.orig.tar.xz -C linux --strip-components=1 "${@/#/--exclude=}"
tar -xJmf /source/linux_*.orig.tar.xz -C linux --strip-components=1 -T patched
while read -r patch; do
  patch -d linux -s -t -N -F0 -u -V never -E --no-backup-if-mismatch -p1 -i "../$patch"
done < series
