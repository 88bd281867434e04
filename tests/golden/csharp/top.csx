using System.Text;

// The greeting.
var greeting = "Hello";
const int Times = 3;
for (int i = 0; i < Times; i++)
    Console.WriteLine(Greet(greeting));

// Says it.
static string Greet(string who)
{
    var local = new StringBuilder(who);
    return local.ToString();
}

class Broken
{
    void Before() { }
    void Half(int a, {
    }
    int After;
    void Last() { Before(
