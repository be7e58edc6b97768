"""The words that passwords are made of most often: what every list of leaked passwords begins with."""

# Bare of digits and signs at their ends, which `passwords` strips before it looks here. Digits and keyboard rows
# are rules there, not words here.
# One text, because a list of 700 quoted words is no easier to read.
COMMON = frozenset(
    """
    password passwort passwords password1password passw0rd passwd pass passe motdepasse contrasena
    contraseña contrasenya senha heslo haslo parola parole salasana wachtwoord wachtwort lösenord losenord
    kennwort geheim secret secreto segreto mypassword yourpassword mypass thepassword newpassword
    oldpassword nopassword passwordpassword changeme changeit changemenow change letmein letmeinnow
    letmeinplease openup opensesame sesame welcome welcometo welcomehome willkommen bienvenue benvenuto
    bienvenido guest visitor default temp temporary temppass admin administrator adminadmin adminpass
    adminpassword administrateur root rootroot toor superuser sysadmin system master masterkey manager
    owner operator supervisor support service server user username useruser login loginlogin signin test
    testtest testing tester testuser testpass testpassword demo demodemo example sample trial office
    company business internet computer laptop desktop windows microsoft google facebook instagram twitter
    linkedin youtube whatsapp telegram discord slack github apple iphone android samsung nokia motorola
    xbox playstation nintendo minecraft fortnite pokemon pikachu zelda mario roblox starcraft warcraft
    counterstrike hello hellohello helloworld hallo hallohallo hola bonjour ciao goodbye hithere whatever
    nothing nothinghere something anything everything iloveyou iloveu iloveyoumore loveyou loveme ilove
    mylove truelove lovely lover lovers forever foreveryou sweetheart sweetie honey darling princess
    prince princesa princesse queen kingking angel angels angela babygirl babyboy baby babybaby mybaby
    beautiful gorgeous handsome pretty cutie dragon dragons monkey monkeys tiger tigers tigger lion lions
    eagle eagles falcon hawk wolf wolves wolverine panther bulldog bulldogs puppy kitty kitten kittens
    cats dogs doggy horse horses pony unicorn dolphin dolphins shark sharks turtle spider butterfly
    ladybug chicken ducks penguin hamster rabbit bunny snoopy garfield scooby scoobydoo shadow shadows
    sunshine sunrise sunset summer summertime winter autumn spring springtime january february march april
    june july august september october november december monday tuesday wednesday thursday friday saturday
    sunday sommer frühling fruehling herbst printemps été ete automne hiver verano invierno primavera
    football futbol fussball fußball baseball basketball softball volleyball hockey soccer tennis golf
    golfer cricket rugby skateboard snowboard surfing running runner swimming boxing wrestling wrestler
    karate ninja samurai liverpool arsenal chelsea chelseafc manchester mancity manunited everton
    barcelona realmadrid juventus bayern bayernmunich dortmund borussia schalke cowboys steelers packers
    patriots yankees lakers raiders redskins rangers superman batman spiderman ironman captain
    captainamerica wonderwoman catwoman joker hulk thor avengers marvel starwars startrek skywalker vader
    darthvader yoda chewbacca jedi jedimaster enterprise matrix neo trinity gandalf frodo hobbit legolas
    aragorn harrypotter hogwarts voldemort gryffindor dumbledore hermione michael michelle jessica
    jennifer ashley amanda daniel danielle robert thomas jordan joshua justin andrew matthew anthony
    william charlie charles christian christopher alexander alexandra alexandre elizabeth nicole nicolas
    samantha stephanie victoria veronica isabella sophia olivia natalie natasha nathalie rebecca rachel
    hannah maggie ginger pepper buster bailey cooper jasper rocky lucky sammy sparky smokey harley
    harleydavidson hunter ranger soldier marine marines warrior warriors knight knights killer sniper
    phantom ghost maverick merlin mercedes porsche ferrari lamborghini corvette mustang camaro chevrolet
    chevy toyota honda yamaha suzuki kawasaki ducati audi volkswagen volvo bmw peugeot renault freedom
    liberty america american usausa england london paris berlin madrid moscow newyork chicago boston
    dallas texas florida california canada australia mexico brazil brasil argentina deutschland germany
    france espana italia italy polska russia russian ukraine india pakistan china japan cookie cookies
    chocolate banana bananas cheese cheesecake pizza burger coffee orange oranges purple yellow silver
    golden diamond diamonds crystal platinum rainbow flower flowers flowerpower rose roses cherry
    strawberry peaches apples applepie pineapple butter peanut pumpkin sugar candy jesus jesuschrist
    christ godisgood blessed blessing heaven faith hope grace church bible angelo maria gabriel rockstar
    rocknroll metallica nirvana slipknot linkinpark greenday beatles thebeatles elvis eminem guitar
    drummer music musica dancer dance trustno trustme trustnoone access accessdenied accessgranted
    security secure secured private safety qwert qwerty qwertz azerty asdf asdfgh asdfghjkl zxcvbn zxcvbnm
    qazwsx qazwsxedc wsxedc qweasd qweasdzxc qweqwe asdasd zxczxc asdqwe abcabc abcd abcdef abc xyz aaa
    zzz qwertyuiop poiuytrewq lkjhgfdsa mnbvcxz biteme fuckyou fuckme fuckoff fucker asshole bullshit
    motherfucker bitch bitches pussy sexy sexsex hotsex porn hardcore playboy naughty bigdaddy bigdick
    bigboy badboy badgirl daddy daddysgirl mommy mother father family familia brother sister friend
    friends bestfriend grandma grandpa money moneymoney cash million millionaire billion dollar dollars
    bitcoin crypto winner success successful genius gamer games gaming player players hacker hackers
    hacked hackme anonymous linux ubuntu debian fedora python java javascript database postgres postgresql
    mysql oracle docker kubernetes raspberry raspberrypi arduino chat chatchat chatroom message messages
    room rooms team teamteam teamchat workspace roomful roomfulchat correcthorsebatterystaple
    """.split()  # noqa: SIM905
)
