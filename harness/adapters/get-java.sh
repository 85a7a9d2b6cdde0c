#!/bin/sh
# Builds the adapter around proxy-wasm-java-host with Maven.
#
#     get-java.sh FOLDER [VERSION]     ->  FOLDER/VERSION/java-host, a script, and FOLDER/VERSION/lib
set -eu

here=$(cd "$(dirname "$0")" && pwd)
folder=$1
pinned=$(sed -n 's|.*<host.version>\(.*\)</host.version>.*|\1|p' "$here/java/pom.xml")
version=${2:-$pinned}
binary=$folder/$version/java-host

if [ -x "$binary" ]; then
    echo "java $version is there: $binary"
    exit 0
fi
if ! command -v mvn >/dev/null || ! command -v java >/dev/null; then
    echo "get-java.sh: needs Java 17 or later, and Maven" >&2
    exit 3
fi

work=$(mktemp -d "$folder/.get-XXXXXX")
trap 'rm -rf "$work"' EXIT INT TERM
cp -R "$here/java/." "$work"
cd "$work"
mvn -q -B -Dstyle.color=never "-Dhost.version=$version" package
mkdir -p "$folder/$version"
rm -rf "$folder/$version/lib"
mv target/lib "$folder/$version/lib"
mv target/adapter.jar "$folder/$version/lib"
# What the adapter is made of stands in the script, so that another adapter is another script.
sum=$(cat src/pwspec/*.java pom.xml | cksum)
cat > java-host <<END
#!/bin/sh
# Adapter $sum
here=\$(cd "\$(dirname "\$0")" && pwd)
exec java -XX:TieredStopAtLevel=1 -XX:+UseSerialGC -Dhost.version=$version -cp "\$here/lib/*" pwspec.Main
END
chmod +x java-host
mv java-host "$binary"
echo "java $version: $binary"
